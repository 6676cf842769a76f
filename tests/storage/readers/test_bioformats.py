"""Bio-Formats is asked last, and only where somebody has configured it."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.readers import POLICIES, bioformats, open_images


@pytest.fixture
def oir(tmp_path: Path) -> Path:
    path = tmp_path / "a.oir"
    path.write_bytes(b"OLYMPUSRAWFORMAT" + bytes(100))
    return path


def test_it_is_the_last_that_is_asked() -> None:
    assert POLICIES[-1].name == "Bio-Formats"


def test_without_a_jar_it_says_that_it_is_not_configured(monkeypatch, oir: Path) -> None:
    monkeypatch.delenv(bioformats.JAR, raising=False)
    assert not bioformats.is_for_bioformats(oir, oir.read_bytes())
    with pytest.raises(BadFile, match=r"Bio-Formats is not configured: .* convert the file"):
        bioformats.open_bioformats(oir)


def test_with_a_jar_it_is_asked_for_formats_that_no_other_reads(
    monkeypatch, oir: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv(bioformats.JAR, str(tmp_path / "absent.jar"))
    monkeypatch.setitem(sys.modules, "jpype", types.ModuleType("jpype"))
    with pytest.raises(BadFile, match=r"names no file \(absent.jar\)"):
        open_images(oir)
    (tmp_path / "notes.txt").write_text("not an image")
    assert not bioformats.is_for_bioformats(tmp_path / "notes.txt", b"not")


def test_without_jpype_it_says_so(monkeypatch, oir: Path, tmp_path: Path) -> None:
    monkeypatch.setenv(bioformats.JAR, str(tmp_path / "a.jar"))
    monkeypatch.setitem(sys.modules, "jpype", None)
    with pytest.raises(BadFile, match="JPype1 is not installed"):
        bioformats.open_bioformats(oir)


def test_a_java_that_does_not_start_is_told(monkeypatch, oir: Path, tmp_path: Path) -> None:
    asked: list[tuple] = []

    def start(where: str, *options: str, **more: object) -> None:
        asked.append((where, options))
        raise OSError("no such library")

    jpype = types.ModuleType("jpype")
    jpype.isJVMStarted = lambda: False
    jpype.startJVM = start
    (tmp_path / "a.jar").write_bytes(b"PK")
    monkeypatch.setenv(bioformats.JAR, str(tmp_path / "a.jar"))
    monkeypatch.setenv(bioformats.JVM, "/opt/java/libjvm.so")
    monkeypatch.setitem(sys.modules, "jpype", jpype)
    with pytest.raises(BadFile, match="no Java could be started"):
        bioformats.open_bioformats(oir)
    ((where, options),) = asked
    assert where == "/opt/java/libjvm.so"
    assert "-Xmx1g" in options  # it must fit into the memory of a child
