"""What is built installs without the server, and the client of it speaks to a running service."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
import tifffile
from packaging.requirements import Requirement
from processes import STAFF, Service

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
HEAVY = {
    "sqlalchemy",
    "jupyter-server",
    "pydantic",
    "tensorstore",
    "bioio",
    "jupyterhub",
    "tornado",
}
SPEAKS = """
import importlib.util, json, sys
import httpx
import cid_client
assert "/site-packages/cid_client/" in cid_client.__file__, cid_client.__file__
absent = [n for n in ("sqlalchemy", "jupyter_server", "tornado", "anywidget", "pytest")
          if importlib.util.find_spec(n)]
asked = httpx.Client.send
def said(self, request, **how):  # the test's service believes this header
    request.headers["X-Test-User"] = json.dumps({"name": "wheelwright"})
    return asked(self, request, **how)
httpx.Client.send = said
catalog = cid_client.connect(sys.argv[1], "a token")
names = [project.name for project in catalog.projects()]
[image] = catalog.upload(sys.argv[2], "wheel-tests")
total = int(image.to_xarray().sum())
back = image.download(sys.argv[3]).read_bytes() == open(sys.argv[2], "rb").read()
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps([absent, names, [total, back], loaded]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    out = tmp_path_factory.mktemp("dist")
    how = ["--quiet", "--offline", "--no-build-isolation", "--python", sys.executable]
    command = [UV, "build", *how, "--wheel", "--out-dir", out, ROOT]
    subprocess.run(command, check=True)
    [made] = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def needed(wheel: Path) -> set[str]:
    """Every distribution that the wheel needs without an extra, and what these need."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        said = Parser().parsestr(archive.read(name).decode())
    found: set[str] = set()
    rest = [Requirement(text) for text in said.get_all("Requires-Dist", [])]
    rest = [one for one in rest if _wanted(one, set())]
    while rest:
        one = rest.pop()
        name = re.sub(r"[-_.]+", "-", one.name).lower()
        try:
            asked = distribution(one.name).requires or []
        except PackageNotFoundError:  # of another platform
            continue
        more = [Requirement(text) for text in asked]
        rest += [r for r in more if _wanted(r, one.extras) and name not in found | set(one.extras)]
        found.add(name)
    return found


def _wanted(one: Requirement, extras: set[str]) -> bool:
    return one.marker is None or any(
        one.marker.evaluate({"extra": extra}) for extra in (extras or {""})
    )


def test_the_client_needs_nothing_of_the_server(needed: set[str]) -> None:
    assert {"httpx", "numpy", "zarr", "dask", "xarray"} <= needed
    assert needed & HEAVY == set()
    assert len(needed) < 40, sorted(needed)


def test_the_wheel_has_the_built_widgets_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert any(name.startswith("cid_widgets/static/") for name in names)
    tops = {name.partition("/")[0] for name in names if ".d" not in name.partition("/")[0]}
    assert tops == {"cid_client", "cid_server_ext", "cid_widgets", "hub_config"}


def test_a_clean_environment_imports_it_and_speaks_to_a_service(
    wheel: Path, needed: set[str], service: Service, tmp_path: Path
) -> None:
    body = {
        "name": "wheel-tests", "team": "wheel-team", "limit": 10**6,
        "members": {"wheelwright": "contributor"},
    }  # fmt: skip
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    python = clean(tmp_path / "clean", wheel, needed)
    tifffile.imwrite(tmp_path / "ones.tif", np.ones((30, 40), np.uint8))
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [python, "-I", "-W", "error", "-c", SPEAKS]
    files = [tmp_path / "ones.tif", tmp_path / "back"]
    told = subprocess.run(
        [*command, service.url, *files], env=environ, capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 0, told.stderr
    absent, names, back, loaded = json.loads(told.stdout)
    assert (absent, names, back) == ([], ["wheel-tests"], [1200, True])
    assert "cid_server_ext" not in loaded


def clean(folder: Path, wheel: Path, needed: set[str]) -> Path:
    """Make an environment with the wheel and what it needs, and return its Python.

    What it needs is here already: links to it stand for an index.
    """
    quiet = [UV, "--quiet", "--offline"]
    subprocess.run([*quiet, "venv", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    install = [*quiet, "pip", "install", "--no-deps", "--no-index", "--python", python, wheel]
    subprocess.run(install, check=True)
    [site] = folder.glob("lib/python3*/site-packages")
    for name in needed:
        for file in distribution(name).files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(distribution(name).locate_file(top))
    return python
