"""Interactive work becomes a notebook: what the outputs depend on, numbers as parameters."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from tiny_catalog import Tiny
from traitlets.config import Config

import cid_client as cid
from cid_client.runs import inside
from cid_server_ext.core.templates import manifest, notebooks

Type = Callable[..., cid.Recording]


def code(path: Path) -> list[str]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [cell["source"] for cell in cells if cell["cell_type"] == "code"]


def checked(folder: Path) -> dict[str, Any]:
    """Return the manifest of a template that has nothing wrong."""
    raw = tomllib.loads((folder / "template.toml").read_text("utf-8"))
    read = manifest.read(raw)
    text = (folder / "template.ipynb").read_text("utf-8")
    assert list(notebooks.problems(read, text)) == []
    return raw


def rerun(folder: Path, image: cid.Image, **values: Any) -> dict[str, np.ndarray]:
    """Execute the notebook by hand on an image and return the pixels that it wrote."""
    import zarr

    run = cid.rehearse(image)
    parameters, *cells = code(folder / "template.ipynb")
    space: dict[str, Any] = {}
    exec(parameters, space)
    space |= values
    for source in cells:
        exec(source, space)
    assert run is inside._runs[inside.REHEARSAL]
    return {
        one["name"]: zarr.open_array(run.outputs.folder / one["path"], path="0", mode="r")[:]
        for one in run.outputs.manifest["outputs"]
        if one["kind"] in ("labels", "image")
    }


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """An IPython whose history is in memory."""
    made = InteractiveShell(config=Config({"HistoryManager": {"hist_file": ":memory:"}}))
    instance = InteractiveShell._instance
    InteractiveShell._instance = made
    yield made
    InteractiveShell._instance = instance
    made.history_manager.end_session()


@pytest.fixture
def type_(shell: InteractiveShell, catalog: cid.Catalog, cell: cid.Image) -> Type:
    """Execute cells one by one while a recording `steps` is on, and return it."""

    def typed(*cells: str) -> cid.Recording:
        shell.user_ns |= {"catalog": catalog, "cid": cid, "found": [cell], "before": [1, 2]}
        begun = shell.run_cell("steps = cid.record().start()", store_history=True)
        assert begun.success
        for source in cells:
            shell.run_cell(source, store_history=True)
        recording: cid.Recording = shell.user_ns["steps"]
        return recording.stop()

    return typed


STEPS = (
    "import numpy as np\nfrom scipy import ndimage",
    "image = found[0]\nimage",
    "array = image.to_xarray()",
    "print(array.shape)  # only a look",
    "crop = array.isel(c=1, x=slice(0, 64)).values",
    "tried = ndimage.gaussian_filter(crop, 9.0)",
    "# smooth along all axes\nsmooth = ndimage.gaussian_filter(crop, sigma=1.5)",
    "mask = smooth > 30000",
    "labels, count = ndimage.label(mask)",
    'steps.labels("nuclei", labels.astype("uint32"), axes="zyx")\nsteps.metric("objects", count)',
    "np.unique(labels).size",
)


def test_what_was_typed_reruns_to_the_same(type_: Type, shell: Any, tmp_path: Path) -> None:
    steps = type_(*STEPS)
    folder = steps.template(tmp_path / "find-nuclei", summary="Bright nuclei.")
    raw = checked(folder)
    assert {name: (p["type"], p["default"]) for name, p in raw["parameters"].items()} == {
        "channel": ("channel", 1),
        "sigma": ("number", 1.5),
        "threshold": ("number", 30000),
    }
    assert raw["outputs"] == {"labels": ["nuclei"], "metrics": ["objects"]}
    assert raw["inputs"] == {"kind": "image", "axes": "zyx"}
    assert code(folder / "template.ipynb") == [
        "channel = 1  # its number or name\n"
        "sigma = 1.5  # sigma of ndimage.gaussian_filter\n"
        "threshold = 30000  # smooth > 30000",
        "from scipy import ndimage\nimport cid_client as cid\n\nrun = cid.current_run()",
        "image = run.input",
        "array = image.to_xarray()",
        "crop = array.isel(c=channel, x=slice(0, 64)).values",
        "# smooth along all axes\nsmooth = ndimage.gaussian_filter(crop, sigma=sigma)",
        "mask = smooth > threshold",
        "labels, count = ndimage.label(mask)",
        'run.outputs.labels("nuclei", labels.astype("uint32"), axes="zyx")\n'
        'run.outputs.metric("objects", count)',
    ]
    image = shell.user_ns["image"]
    made = rerun(folder, image)
    np.testing.assert_array_equal(made["nuclei"], shell.user_ns["labels"])
    other = rerun(folder, image, threshold=20000)
    assert (other["nuclei"] > 0).sum() > (made["nuclei"] > 0).sum()


def test_a_with_is_recorded_where_there_are_no_cells(cell: cid.Image, tmp_path: Path) -> None:
    from scipy import ndimage

    size = 3
    with cid.record() as steps:
        array = cell.to_xarray().isel(c=0, z=2).values
        unused = ndimage.sobel(array)

        # a filter without a name for its number
        middle = ndimage.median_filter(array, size)
        middle[0] = 0
        steps.image("middle", middle, axes="yx")
    folder = steps.template(tmp_path / "smooth-plane")
    raw = checked(folder)
    assert raw["parameters"]["size"] == {"type": "integer", "default": 3}
    assert unused is not None
    source = "\n".join(code(folder / "template.ipynb"))
    assert "sobel" not in source
    assert "cell = run.input" in source
    assert "# a filter without" in source
    assert "middle[0] = 0" in source
    np.testing.assert_array_equal(rerun(folder, cell)["middle"], middle)


def test_a_with_in_a_cell_is_recorded_too(
    shell: InteractiveShell, cell: cid.Image, tmp_path: Path
) -> None:
    shell.user_ns |= {"found": [cell], "cid": cid}
    typed = "with cid.record() as steps:\n    image = found[0]\n    size = image.shape[0]"
    assert shell.run_cell(f'{typed}\n    steps.metric("size", size)', store_history=True).success
    folder = shell.user_ns["steps"].template(tmp_path / "tell-size")
    assert code(folder / "template.ipynb")[-1].splitlines() == [
        "image = run.input",
        "size = image.shape[0]",
        'run.outputs.metric("size", size)',
    ]
    checked(folder)


def test_a_change_in_place_counts_for_every_view(type_: Type, shell: Any, tmp_path: Path) -> None:
    steps = type_(
        "import numpy as np\nimage = found[0]",
        "plane = image.to_xarray().isel(c=0, z=0).values",
        "corner = plane[:8, :8]",
        "corner[...] = 0\nother = plane * 2",
        "plane.sort(axis=0)",
        "np.add(plane, 1, out=plane)",
        'steps.image("plane", plane, axes="yx")',
    )
    folder = steps.template(tmp_path / "three-changes")
    checked(folder)
    source = "\n".join(code(folder / "template.ipynb"))
    assert "corner[...] = 0" in source
    assert "other" not in source
    made = rerun(folder, shell.user_ns["image"])
    np.testing.assert_array_equal(made["plane"], shell.user_ns["plane"])


def test_functions_loops_and_figures_are_kept(type_: Type, shell: Any, tmp_path: Path) -> None:
    steps = type_(
        "%matplotlib inline",
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt",
        "import numpy as np\nimage = found[0]",
        "scale = 0.5\ndef scaled(array):\n    return array * scale",
        "total = 0\nfor z in range(2):\n    total += float(scaled(image.to_xarray()[0, z]).sum())",
        "1 / 0",
        "fig, ax = plt.subplots()\nax.plot([total])",
        'plt.title("sum")',
        'steps.figure("sum", fig)\nsteps.metric("total", total)\nimage.tag(Total=total)',
        'image.tag(Staining="DAPI")',
    )
    folder = steps.template(tmp_path / "sum-up")
    raw = checked(folder)
    assert raw["parameters"] == {"scale": {"type": "number", "default": 0.5}}
    assert raw["outputs"] == {"figures": ["sum"], "metrics": ["total", "Total"]}
    source = "\n".join(code(folder / "template.ipynb"))
    for line in ("ax.plot([total])", 'plt.title("sum")', "run.outputs.metric('Total', total)"):
        assert line in source
    assert "1 / 0" not in source
    assert [one.split(":")[0] for one in steps.left_out] == ["cell 1", "cell 6"]
    assert steps.left_out[0] == "cell 1: '%matplotlib inline' is IPython, no Python"
    rerun(folder, shell.user_ns["image"])
    assert cid.current_run().outputs.metrics["total"] == shell.user_ns["total"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("image = found[0]",), "say what came out, such as steps.labels"),
        (('steps.metric("n", len(before))',), r"before \(list\) was there before the recording"),
        (('steps.metric("n", 1)',), "no image was opened"),
        (
            ("array = catalog.image(found[0].uid).to_xarray()", 'steps.image("a", array)'),
            "cell 1 asks the catalog .catalog.*give the image a name of its own",
        ),
        (
            ("image = found[0]", 'token = "abcdefgh"', 'steps.metric("n", token)'),
            "cell 2: token looks like a secret",
        ),
        (
            ("image = found[0]", "x = !ls", "n = len(x)", 'steps.metric("n", n)'),
            "x was made before the recording, or by a cell that was left out",
        ),
        ((), "nothing was recorded"),
    ],
)  # fmt: skip
def test_what_no_template_can_do_is_said(
    type_: Type, tmp_path: Path, cells: tuple[str, ...], said: str
) -> None:
    with pytest.raises(cid.BadInput, match=said):
        type_(*cells).template(tmp_path / "no-template")
    assert list(tmp_path.glob("no-template*")) == []


def test_a_template_runs_on_one_image(type_: Type, tiny: Tiny, tmp_path: Path) -> None:
    tiny.add_image("i2")
    steps = type_(
        "one = found[0]\ntwo = catalog.image('i2')\ntwo.name",
        "both = len(one.name) + len(two.name)",
        'steps.metric("both", both)',
    )
    with pytest.raises(cid.BadInput, match="a template runs on one image, these are"):
        steps.draft()


def test_the_same_word_for_two_numbers_is_two_parameters(type_: Type, tmp_path: Path) -> None:
    steps = type_(
        "from scipy.ndimage import gaussian_filter as smooth\nimage = found[0]",
        "a = image.to_xarray().isel(c=0, z=0).values; b = smooth(a, sigma=1.0)",
        'steps.image("edges", b - smooth(b, sigma=-2), axes="yx")',
    )
    path = steps.notebook(tmp_path / "edges.ipynb", title="Edges")
    assert path == tmp_path / "edges.ipynb"
    parameters, setup, *cells = code(path)
    assert parameters.splitlines() == [
        "channel = 0  # its number or name",
        "sigma = 1.0  # sigma of smooth",
        "sigma_2 = -2  # sigma of smooth",
    ]
    assert "from scipy.ndimage import gaussian_filter as smooth" in setup
    assert cells[-1] == 'run.outputs.image("edges", b - smooth(b, sigma=sigma_2), axes="yx")'
    assert cells[-2].splitlines()[-1] == "b = smooth(a, sigma=sigma)"


def test_a_recording_is_begun_once_and_overwrites_nothing(type_: Type, tmp_path: Path) -> None:
    steps = type_("image = found[0]", 'steps.metric("uid", image.uid)')
    with pytest.raises(cid.Conflict, match="has begun already"):
        steps.start()
    folder = steps.template(tmp_path / "tell-uid")
    assert steps.template(folder) == folder
    (folder / "README.md").write_text("mine")
    with pytest.raises(cid.Conflict, match="is there already"):
        steps.template(folder)
    with pytest.raises(cid.BadInput, match="small letters, digits and dashes"):
        steps.template(tmp_path / "Tell UID")
    with pytest.raises(cid.Conflict, match="it does not record"):
        cid.record().metric("n", 1)


def test_an_error_within_leaves_nothing_recorded() -> None:
    steps = cid.record()
    with pytest.raises(ZeroDivisionError), steps:
        1 / 0  # noqa: B018
    with pytest.raises(cid.BadInput, match="nothing was recorded"):
        steps.draft()
    assert repr(steps) == "<Recording 0 cells, 0 outputs>"
