"""The newest revision's own copy of the tables is written by a tool; it says what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def freeze() -> ModuleType:
    spec = importlib.util.spec_from_file_location("freeze", ROOT / "tools" / "freeze_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_frozen_tables_are_those_of_the_models(
    freeze: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert freeze.main(["--check"]) == 0, "python tools/freeze_tables.py"
    assert "as the tables" in capsys.readouterr().out


def test_a_copy_that_says_something_else_is_told_and_written_anew(
    freeze: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = freeze.place(freeze.newest()).read_text(encoding="utf-8")
    copy = tmp_path / "r.py"
    copy.write_text(right.replace("ix_record_created_by", "ix_record_maker"), encoding="utf-8")
    monkeypatch.setattr(freeze, "place", lambda revision: copy)
    assert freeze.main(["--check"]) == 1
    assert freeze.main([]) == 0
    assert copy.read_text(encoding="utf-8") == right


def test_a_revision_without_a_copy_is_left_to_whoever_writes_it(
    freeze: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freeze, "place", lambda revision: tmp_path / "none.py")
    assert freeze.main([]) == 1
    assert not (tmp_path / "none.py").exists()
