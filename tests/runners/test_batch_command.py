"""A batch on the command line, with a real conductor: one bad image costs one result."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from house import House
from processes import deposit
from speaking import As

import cid_client as cid
from cid_client import cli
from cid_client.commands import notices, run, runs
from cid_client.wire.environment import Access
from cid_client.wire.session import Session

PAGE = Path(__file__).parents[2] / "docs" / "user" / "command-line.md"
POISONED = """
import cid_client
run = cid_client.current_run()
pixels = run.input.to_xarray().values
assert pixels.max() < 255, "this image is saturated"
run.outputs.metric("most", int(pixels.max()) + n)
"""


@pytest.fixture
def me(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[cid.Catalog]:
    """A researcher of the house, as whom `cid` connects too."""
    access = Access(house.service.url, "token of a person")

    def connect(url: str | None = None, token: str | None = None) -> cid.Catalog:
        return cid.Catalog(Session(access, transport=As("researcher")))

    for module in (run, runs, notices):
        monkeypatch.setattr(module, "connect", connect)
    catalog = connect()
    catalog.read_notices()  # of what other files ran in this house
    yield catalog
    catalog.close()


def images(house: House, folder: Path, *most: int) -> list[str]:
    """Bring in images whose brightest pixel is this; return their names."""
    names = [f"batch {folder.name} {n}" for n in range(len(most))]
    for name, value in zip(names, most, strict=True):
        pixels = [[0, value], [0, 0]]
        tifffile.imwrite(folder / f"{name}.tif", np.array(pixels, "uint8"))
        deposit(house.service, "researcher", "demo", folder / f"{name}.tif")
    return names


def test_one_poisoned_image_costs_one_result(
    house: House,
    me: cid.Catalog,
    conduct: Callable,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    template = house.template(POISONED)
    names = images(house, tmp_path, 10, 20, 255)
    csv = tmp_path / "plate.csv"
    csv.write_text("name,n\n" + "".join(f"{name},{n}\n" for n, name in enumerate(names)))
    conduct()
    line = ["run", template, "--csv", str(csv), "--project", "demo", "--yes", "--wait"]
    assert cli.main(line) == 1
    said = capsys.readouterr()
    assert "3 of 3 rows can run" in said.err
    assert "1 of 3 runs ended without results; the first: run" in said.err
    assert "saturated" in said.out
    [uid] = re.findall(r"^uid +(\S+)$", said.out, re.MULTILINE)
    batch = me.batch(uid)
    assert (batch.state, batch.counts, batch.progress) == ("failed", {"done": 2, "failed": 1}, 1.0)
    assert [one.metrics.get("most") for one in batch] == [10, 21, None]
    [failure] = batch.failures
    assert (failure["count"], failure["error"]) == (1, "AssertionError")
    [notice] = me.notices(unread=True)
    assert notice.about == f"batch:{uid}"
    assert "2 of 3 runs are done, 1 failed" in notice.text
    assert cli.main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["uid"] == uid
    assert cli.main(["run", "retry", uid, "--wait"]) == 1
    assert me.batch(uid).counts == {"done": 2, "failed": 1}
    assert len(me.notices(unread=True)) == 2
    assert cli.main(["notices"]) == 0
    assert me.notices().unread == 0


def test_a_wrong_table_begins_nothing_and_says_each_cell(
    house: House, me: cid.Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = tmp_path / "wrong.csv"
    csv.write_text("name,n\nnobody,1\ncell,many\n")
    template = house.template("1")
    before = len(me.batches())
    line = ["run", template, "--csv", str(csv), "--project", "demo", "--yes"]
    assert cli.main(line) == 1
    said = capsys.readouterr().err
    assert "row 2, name: no image 'nobody'" in said
    assert "row 3, n: " in said
    assert len(me.batches()) == before


def test_every_line_of_the_page_works(
    house: House,
    me: cid.Catalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    template = house.template("1", parameters="n = 0")
    (tmp_path / "plate.csv").write_text("name,n\ncell,1\n")
    blocks = re.findall(r"```\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("cid ")]
    assert len(lines) >= 12
    uid = me.submit(cid.Order(template, house.image)).uid
    for line in lines:
        _, *words = shlex.split(line)
        told = {"UID": uid, "count-things": template, "night": "demo", "Objective:63x": "cell"}
        words = [told.get(word, word).replace("sigma=1.5", "n=3") for word in words]
        if "--image" in words:
            words = [house.image if word == uid else word for word in words if word != "--wait"]
        code = cli.main(words)
        expected = 1 if "retry" in words else 0  # nothing of it failed
        assert code == expected, (line, capsys.readouterr().err)


def test_a_script_says_yes_and_one_way_to_choose(
    house: House, me: cid.Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    template = house.template("1")
    assert cli.main(["run", template, "--image", house.image]) == 1
    assert "say --yes" in capsys.readouterr().err
    assert cli.main(["run", template]) == 1
    assert cli.main(["run", "diff", "one"]) == 1
    assert "takes two UIDs" in capsys.readouterr().err
