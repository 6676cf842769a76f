"""Beads of a known width come out as wide as they are, whatever else is in the stack."""

from __future__ import annotations

import ast
import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cid_server_ext import cli
from cid_server_ext.core.templates import manifest as manifests
from cid_server_ext.core.templates import notebooks

FOLDER = Path(__file__).parents[2] / "notebooks" / "templates" / "measure-psf"
MANIFEST = tomllib.loads((FOLDER / "template.toml").read_text("utf-8"))
NOTEBOOK = (FOLDER / "template.ipynb").read_text("utf-8")


def functions() -> dict[str, Any]:
    """What the cells define: imports, functions and constants in capitals."""
    space: dict[str, Any] = {}
    for cell in json.loads(NOTEBOOK)["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse("".join(cell["source"]))
            tree.body = [node for node in tree.body if defines(node)]
            exec(compile(tree, "template.ipynb", "exec"), space)
    return space


def defines(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return all(isinstance(name, ast.Name) and name.id.isupper() for name in node.targets)
    return isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom)


def drawn() -> ModuleType:
    spec = importlib.util.spec_from_file_location("beads", FOLDER / "truth" / "beads.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(stack: np.ndarray) -> tuple[np.ndarray, list[Any]]:
    made, pixel_um = functions(), np.array(drawn().PROPORTION)
    stack = stack.astype(np.float32)
    places = made["beads"](stack, pixel_um, 0.3, 2.0, 50)
    return places, [made["measured"](stack, place, pixel_um, 2.0) for place in places]


def test_nothing_stands_in_the_way_of_publishing_it() -> None:
    read = manifests.read(MANIFEST)
    assert list(notebooks.problems(read, NOTEBOOK)) == []
    assert read.inputs.needs == ["pixel size", "z step"]
    assert read.outputs.metrics == ["beads", "fwhm_x", "fwhm_y", "fwhm_z"]


@pytest.mark.parametrize("gain", [1, 3])
def test_each_bead_is_as_wide_as_it_was_drawn(gain: int) -> None:
    made = drawn()
    places, rows = measured(made.make(11) * gain)
    assert len(places) == len(rows) == 16
    for axis, sigma in zip("zyx", made.SIGMA, strict=True):
        widths = [row[f"fwhm_{axis}_um"] for row in rows]
        assert widths == pytest.approx([2.3548 * sigma] * 16, rel=0.04)


def test_beads_that_touch_or_are_cut_and_lines_are_left_out() -> None:
    made = drawn()
    stack = made.make(3).astype(np.float32)
    stack += 900 * made._bead((20, 56, 48))  # 8 pixels beside the first
    stack += 900 * made._bead((20, 0, 120))  # half of it is outside
    stack[:, 120, :] += 1500  # a bright line through the fifth row of nothing
    places, rows = measured(stack)
    near = [place for place in places if abs(place[1] - 48) < 12 and abs(place[2] - 48) < 12]
    assert near == []
    assert all(2 < place[1] < 237 for place in places)
    assert all(row is None or row["fwhm_x_um"] < 0.5 for row in rows)


def test_the_template_passes_its_own_check(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["template", "check", str(FOLDER)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].startswith("right  truth: beads of a known width"), lines
    assert "beads 16, fwhm_x 0.30" in lines[3]
    assert (ended.value.code, lines[-1]) == (0, "ready to publish")
