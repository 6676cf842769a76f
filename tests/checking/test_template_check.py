"""`jupyter cid template check`: what is wrong with a template is said before anybody sees it."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import world

from cid_server_ext import cli
from cid_server_ext.checking import truth
from cid_server_ext.core.templates import manifest, notebooks
from cid_server_ext.core.templates.manifest import Truth
from cid_server_ext.errors import BadInput

FOLDER = Path(__file__).parents[2] / "notebooks" / "templates" / "segment-cells"
NUMPY = "import numpy as np\n"


def book(*sources: str, parameters: str = "sigma = 1.0\nmode = 'fast'", **first: Any) -> str:
    """A notebook whose first cell is the parameters'."""
    tagged = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": parameters}
    cells = [{**tagged, "outputs": [], **first}]
    cells += [{"cell_type": "code", "metadata": {}, "source": s, "outputs": []} for s in sources]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


@pytest.mark.parametrize(
    ("notebook", "said"),
    [
        ("{}", "not an nbformat 4 document"),
        ("[" * 10, "not an nbformat 4 document"),
        (json.dumps({"cells": []}), "exactly one cell tagged 'parameters'"),
        (book(parameters="sigma = 1.0"), "does not set mode, which template.toml has"),
        (
            book(parameters="sigma = 1.0\nmode = 'fast'\nextra = 1"),
            "sets extra, which template.toml does not have",
        ),
        (
            book(parameters="sigma: float = 2.0\nmode = 'fast'"),
            "the default of sigma is 2.0 in the cell 'parameters' and 1.0 in template.toml",
        ),
        (book(parameters="sigma = = 1"), "the cell 'parameters', line 1: "),
        (book(outputs=[{"output_type": "stream"}]), "cell 1: it has outputs"),
        (
            book("x = 1\nkey = 'AKIAIOSFODNN7EXAMPLE'"),
            "cell 2, line 2: it looks like a secret (AWS",
        ),
        (book('password = "hunter22x"'), "it looks like a secret (Secret Keyword)"),
        (book('u = "https://bob:pw12345@host/x"'), "a secret (Basic Auth Credentials)"),
    ],
)
def test_what_stands_in_the_way_is_one_line(notebook: str, said: str) -> None:
    (found,) = [
        line for line in notebooks.problems(manifest.read(world.MANIFEST), notebook) if said in line
    ]
    assert "AKIA" not in found
    assert "hunter" not in found
    assert "pw12345" not in found


def test_checksums_magics_and_names_are_no_problem() -> None:
    fine = book(
        'known = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        'run.outputs.labels("cells", labels)\ntoken = os.environ["TOKEN"]',
        parameters="%matplotlib inline\nsigma = 1.0\nmode = 'fast'",
    )
    assert list(notebooks.problems(manifest.read(world.MANIFEST), fine)) == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "there is no case.py"),
        ("x = 1", "has no function make"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def make(seed):\n    return 1 / 0", "ZeroDivisionError"),
        (
            "import numpy as np\ndef make(seed):\n    return np.zeros((2, 2)), np.zeros((2, 2))",
            "whole",
        ),
        (
            f"{NUMPY}AXES = 'zyx'\ndef make(seed):\n    return np.ones((2, 2)), np.eye(2)",
            "AXES 'zyx' and pixels of 2 axes differ",
        ),
    ],
)
def test_a_truth_script_with_a_mistake_says_which(
    tmp_path: Path, script: str | None, said: str
) -> None:
    if script is not None:
        (tmp_path / "case.py").write_text(script)
    with pytest.raises(BadInput, match=said):
        truth.made(tmp_path, Truth(name="case", script="case.py"))


def test_a_script_outside_of_the_folder_is_no_script() -> None:
    with pytest.raises(BadInput, match=r"truth.0.script"):
        manifest.read({**world.MANIFEST, "truth": [{"name": "x", "script": "../x.py"}]})


def test_a_colour_series_says_its_axes(tmp_path: Path) -> None:
    (tmp_path / "case.py").write_text(
        "import numpy as np\nAXES = 'YXS'\nPROPORTION = (1, 2, 2)\ndef make(seed):\n"
        "    return np.full((4, 5, 3), seed, 'uint8'), np.ones((4, 5), int)"
    )
    pixels, labels, axes, scale = truth.made(tmp_path, Truth(name="x", script="case.py", seed=7))
    assert (axes, scale, labels.shape) == ("yxs", (1, 2, 2), (4, 5))
    np.testing.assert_array_equal(pixels, 7)


def test_a_template_is_run_on_its_known_pictures_and_a_wrong_answer_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "template"
    shutil.copytree(FOLDER, folder)
    said = (folder / "template.toml").read_text("utf-8")
    assert tomllib.loads(said)["truth"][1]["objects"] == 24
    (folder / "template.toml").write_text(said.replace("objects = 24", "objects = 23"), "utf-8")
    with pytest.raises(SystemExit) as ended:
        cli.main(["template", "check", str(folder)])
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 1, lines
    assert lines[:3] == ["right  template.toml", "right  README.md", "right  template.ipynb"]
    assert lines[3].startswith("right  truth: discs on a sloping ground: 40 objects, F1 ")
    assert lines[4].startswith("wrong  truth: balls in a stack, coarser in z: 24 objects, F1 ")
    assert lines[5:] == ["       24 objects, and there are 23", "1 to mend"]


def test_a_template_that_cannot_be_read_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"template\.toml: No such file"):
        cli.main(["template", "check", str(tmp_path)])
    (tmp_path / "template.toml").write_text("[template]\nname = 'x'\n")
    (tmp_path / "template.ipynb").write_text(world.NOTEBOOK)
    with pytest.raises(SystemExit) as ended:
        cli.main(["template", "check", str(tmp_path)])
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert "wrong  template.toml\n       template.toml, template.name: " in out
    assert out.endswith("1 to mend\n")
