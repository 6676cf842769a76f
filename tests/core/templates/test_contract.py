"""Pre-flight's rules: what a template does not take, in words, with what to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import world

from cid_server_ext.core.templates import contract, manifest
from cid_server_ext.errors import BadInput


def image(axes: str = "yx", shape: tuple[int, ...] = (64, 64), **more: Any) -> Any:
    """An image as the rules see it, calibrated and without channels of its own."""
    told = {"name": "cell (1) [a].tif", "kind": "image", "dtype": "uint16", "channels": []}
    return SimpleNamespace(
        **{**told, "axes": axes, "shape": shape, "scale": {"y": 1, "x": 1}, **more}
    )


def asked(parameters: dict[str, Any] | None = None, **inputs: Any) -> manifest.Manifest:
    return manifest.read({**world.MANIFEST, "inputs": inputs, "parameters": parameters or {}})


def seen(template: manifest.Manifest, one: Any, keys: tuple[str, ...] = (), **values: Any) -> Any:
    return [
        (note.light, note.about, note.message)
        for note in contract.notes(template, one, values, keys)
    ]


TWO = [{"name": "DAPI", "emission": 461.0}, {"name": "GFP"}]


@pytest.mark.parametrize(
    ("inputs", "one", "told"),
    [
        ({}, image("zyx", (5, 64, 64)), []),
        ({}, image(), []),  # blanks and brackets in a name are no matter
        ({"axes": "zyx"}, image(), ("red", "axes", "it needs axis z, this has yx")),
        (
            {"axes": "zyx"},
            image("zyx", (1, 64, 64)),
            ("red", "axes", "it needs a stack, this is one plane"),
        ),
        (
            {"without": "t"},
            image("tyx", (9, 64, 64)),
            ("red", "axes", "it takes none with axis t, this has 9 in t"),
        ),
        ({"without": "t"}, image("tyx", (1, 64, 64)), []),
        (
            {"most_channels": 1},
            image("cyx", (2, 64, 64), channels=TWO),
            ("red", "channels", "it takes 1 channel, this has 2"),
        ),
        (
            {"least_channels": 2, "most_channels": 3},
            image(),
            ("red", "channels", "it takes 2 to 3 channels, this has 1"),
        ),
        ({"dtypes": ["uint8"]}, image(), ("red", "dtype", "it takes uint8, this is uint16")),
        ({"kind": "labels"}, image(), ("red", "kind", "it takes labels, this is an image")),
        (
            {"largest": "1 GB"},
            image("zyx", (1000, 1000, 1000)),
            ("red", "size", "it takes up to 1 GB, this has 2.0 GB of pixels"),
        ),
        (
            {"needs": ["pixel size"]},
            image(scale={}),
            ("red", "pixel size", "it needs the pixel size, which is not known here"),
        ),
        ({"needs": ["z step"]}, image(), []),  # there is no z
        (
            {"needs": ["emission"]},
            image("cyx", (2, 64, 64), channels=TWO),
            ("red", "emission", "it needs the emission wavelength, which is not known of GFP"),
        ),
        (
            {"wants": ["Objective"]},
            image(),
            ("amber", "Objective", "it is better with the tag 'Objective', which it does not have"),
        ),
    ],
)
def test_each_reason_is_said_once_with_its_light(
    inputs: dict[str, Any], one: Any, told: Any
) -> None:
    assert seen(asked(**inputs), one) == ([told] if told else [])


def test_a_tag_that_it_has_is_no_reason() -> None:
    assert seen(asked(needs=["Objective"]), image(), keys=("Objective",)) == []


def test_a_channel_goes_by_its_number_or_its_name() -> None:
    stack = image("cyx", (2, 64, 64), channels=TWO)
    template = asked({"channel": {"type": "channel", "default": 0}})
    assert [contract.channel(value, stack) for value in (0, 1, "gfp ", "DAPI")] == [0, 1, 1, 0]
    assert seen(template, stack, channel="DAPI") == []
    assert seen(template, stack, channel="Cy5") == [
        ("red", "channel", "there is no channel 'Cy5': it has DAPI, GFP")
    ]
    assert seen(template, image(), channel=1)[0][:2] == ("red", "channel")


def test_two_channels_of_one_name_are_told_apart_by_number_only() -> None:
    twins = image("cyx", (2, 64, 64), channels=[{"name": "GFP"}, {"name": "gfp"}])
    with pytest.raises(ValueError, match="2 channels are called 'GFP'"):
        contract.channel("GFP", twins)


def test_a_submit_is_refused_with_the_reason_and_what_to_do() -> None:
    with pytest.raises(BadInput) as refused:
        contract.require(asked(axes="zyx"), image(), {})
    assert str(refused.value) == (
        "count-things does not take 'cell (1) [a].tif': "
        "it needs axis z, this has yx; choose a stack"
    )
    contract.require(asked(wants=["Objective"]), image(), {})  # amber stops nothing


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"axes": "zyx", "without": "z"}, "both name z"),
        ({"least_channels": 3, "most_channels": 2}, "most_channels is less"),
        ({"dtypes": ["unit8"]}, "no dtype 'unit8'"),
        ({"largest": "2 parsec"}, "write it as '2 GiB'"),
        ({"axes": "abc"}, "inputs.axes"),
        ({"roles": []}, "inputs.roles"),
    ],
)
def test_a_contract_that_makes_no_sense_is_not_published(inputs: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        asked(**inputs)


@pytest.mark.parametrize(
    ("written", "nbytes"),
    [("2 GiB", 2**31), ("500 MB", 5e8), (1024, 1024), ("1.5GiB", 1.5 * 2**30)],
)
def test_sizes_are_read(written: str | int, nbytes: float) -> None:
    assert manifest.sizes.nbytes(written) == nbytes
