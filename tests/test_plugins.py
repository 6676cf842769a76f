"""Packages beside CID bring readers and clusters: those of the documentation, really discovered."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from cid_server_ext import plugins
from cid_server_ext.errors import BadInput
from cid_server_ext.runners.conductor import Settings
from cid_server_ext.storage.readers.policy import Policy

PAGE = Path(__file__).parent.parent / "docs" / "developer" / "plug-ins.md"
GROUP = "cid.readers"
PIXELS = np.arange(2 * 8 * 12, dtype="<u2").reshape(2, 8, 12)
HEAD = b"NRRD0004\ntype: uint16\nsizes: 12 8 2\nencoding: raw\nspacings: 0.1 0.2 0.5\n\n"


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of packages that this process finds."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def install(folder: Path, name: str, code: str, groups: dict[str, str]) -> None:
    """Put a package there as its installation would."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    told = folder / f"{name}-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"[{group}]\n{entry}\n" for group, entry in groups.items()]
    (told / "entry_points.txt").write_text("\n".join(lines))


def shown(language: str) -> str:
    """Return the example of the documentation."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(code)


def test_the_reader_of_the_documentation_reads(beside: Path, tmp_path: Path) -> None:
    ((name, reader),) = tomllib.loads(shown("toml"))["project"]["entry-points"][GROUP].items()
    code = shown("python")
    assert len(code.splitlines()) <= 36
    install(beside, "cid_nrrd", code, {GROUP: f"{name} = {reader}"})
    (tmp_path / "stack.nrrd").write_bytes(HEAD + PIXELS.tobytes())
    (tmp_path / "cut.nrrd").write_bytes(HEAD + PIXELS.tobytes()[:-1])
    asked = """
import sys
from pathlib import Path
from cid_server_ext.errors import BadFile
from cid_server_ext.storage.readers import open_images
(image,) = open_images(Path(sys.argv[1], "stack.nrrd"))
print(image.name, image.axes, image.shape, image.dtype, image.scale, image.units["z"])
print(int(image.array.sum().compute()))
try:
    open_images(Path(sys.argv[1], "cut.nrrd"))
except BadFile as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", asked, str(tmp_path)],
        env={"PYTHONPATH": str(beside), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "stack zyx (2, 8, 12) uint16 {'z': 0.5, 'y': 0.2, 'x': 0.1} micrometer",
        str(int(PIXELS.sum())),
        "the NRRD is cut: it has fewer pixels than its header says",
    ], done.stderr


def test_one_package_keeps_no_other_away(beside: Path, caplog: pytest.LogCaptureFixture) -> None:
    good = "from cid_server_ext.storage.readers.policy import Policy\n"
    good += "GOOD = Policy('good', lambda path: [])\n"
    install(beside, "cid_good", good, {"cid.readers": "good = cid_good:GOOD"})
    install(beside, "cid_broken", "1 / 0\n", {"cid.readers": "broken = cid_broken:READER"})
    install(beside, "cid_other", "READER = 7\n", {"cid.readers": "other = cid_other:READER"})
    with caplog.at_level(logging.WARNING, "cid.plugins"):
        found = plugins.installed("cid.readers", Policy)
    assert [policy.name for policy in found] == ["good"]
    said = " ".join(caplog.messages)
    assert "'broken' is left out: ZeroDivisionError" in said
    assert "'other' is left out: it is no Policy" in said


def test_clusters_of_another_package_are_the_conductors(beside: Path) -> None:
    code = "from cid_server_ext.runners.local import LocalClusters\n"
    code += "class Racks(LocalClusters):\n    last = False\n"
    install(beside, "cid_racks", code, {"cid.clusters": "racks = cid_racks:Racks"})
    environ = {"CID_DATABASE": "sqlite:///x", "CID_URL": "http://127.0.0.1:1/"}
    assert type(Settings.of({**environ, "CID_CLUSTERS": "racks"}).clusters()).__name__ == "Racks"
    with pytest.raises(BadInput, match=r"no package brings 'slurm' to cid\.clusters \(racks\)"):
        Settings.of({**environ, "CID_CLUSTERS": "slurm"}).clusters()
