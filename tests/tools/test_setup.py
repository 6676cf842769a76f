"""Set-up does what has changed, again when interrupted, and looks where the site's pip looks."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent
STEPS = ("packages", "project", "node", "widgets")


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/setup.py, loaded on an empty checkout; its steps only make what they promise."""
    spec = importlib.util.spec_from_file_location("cid_setup", ROOT / "tools" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / ".cid-setup.json")
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    return module


@pytest.fixture
def done(setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were done, in order."""
    made: list[str] = []
    products = (".venv/bin/uv", ".venv/bin/jupyter-cid", "node_modules/.package-lock.json")

    def step(name: str, product: str) -> Callable[[], None]:
        def make() -> None:
            path = tmp_path / product
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            made.append(name)

        return make

    names = ("packages", "project", "node_packages", "widgets")
    for name, product in zip(names, (*products, "cid_widgets/static"), strict=True):
        monkeypatch.setattr(setup, name, step(name, product))
    return made


def test_a_second_set_up_does_nothing(setup: ModuleType, done: list[str]) -> None:
    assert setup.set_up() == 4
    assert done == ["packages", "project", "node_packages", "widgets"]
    assert setup.set_up() == 0
    assert len(done) == 4


def test_what_changed_is_done_again(setup: ModuleType, done: list[str], tmp_path: Path) -> None:
    setup.set_up()
    done.clear()
    (tmp_path / "cid_widgets" / "js").mkdir()
    (tmp_path / "cid_widgets" / "js" / "browser.ts").write_text("export {}")
    setup.set_up()
    assert done == ["widgets"]
    (tmp_path / "requirements.lock").write_text("numpy==2.1\n")
    setup.set_up()
    assert done == ["widgets", "packages"]


def test_a_touched_file_with_the_same_content_changes_nothing(
    setup: ModuleType, done: list[str], tmp_path: Path
) -> None:
    setup.set_up()
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    assert setup.set_up() == 0


def test_an_interrupted_step_is_done_again(
    setup: ModuleType, done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.set_up()
    (tmp_path / "requirements.lock").write_text("numpy==2.1\n")
    whole = setup.packages

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "packages", interrupted)
    with pytest.raises(KeyboardInterrupt):
        setup.set_up()
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")  # as it was when it was whole
    monkeypatch.setattr(setup, "packages", whole)
    done.clear()
    setup.set_up()
    assert done == ["packages"]


def test_a_product_that_was_deleted_is_made_again(
    setup: ModuleType, done: list[str], tmp_path: Path
) -> None:
    setup.set_up()
    done.clear()
    (tmp_path / "node_modules" / ".package-lock.json").unlink()
    setup.set_up()
    assert done == ["node_packages"]


def test_uv_is_told_what_pip_is_told(setup: ModuleType) -> None:
    told = setup.uv_environment(
        "global.index-url='https://mirror.example/simple'\n"
        "global.extra-index-url='https://a.example/simple\\nfile:///srv/b'\n"
        "global.find-links='/srv/old'\n"
        "install.find-links='/srv/wheels\\n/srv/more'\n"
        "global.cert='/etc/old.pem'\n"
        ":env:.cert='/etc/site.pem'\n"
        ":env:.disable-pip-version-check='1'\n"
    )
    assert told == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://a.example/simple file:///srv/b",
        "UV_FIND_LINKS": "/srv/wheels,/srv/more",
        "SSL_CERT_FILE": "/etc/site.pem",
    }


def test_a_cpu_build_among_the_sites_wheels_is_the_one_taken(
    setup: ModuleType, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("2.0", "2.0+cpu"):
        write_wheel(wheels, "cidprobe", version)
    told = setup.uv_environment(f"global.find-links={str(wheels)!r}\n")
    target = tmp_path / "target"
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            sys.executable,
            "--target",
            target,
            "cidprobe==2.0",
        ],
        env={"PATH": os.environ["PATH"], "UV_OFFLINE": "1", "UV_NO_CACHE": "1", **told},
        check=True,
    )
    assert [path.name for path in target.glob("*.dist-info")] == ["cidprobe-2.0+cpu.dist-info"]


def test_the_lock_is_exact_and_holds_no_gpu_package() -> None:
    lines = (ROOT / "requirements.lock").read_text().split("\n")
    pinned = [line for line in lines if line]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][\w.+!]*", line) for line in pinned)
    assert not [line for line in pinned if re.match(r"nvidia-(?!ml)|.*cuda|triton", line)]


def test_a_python_that_is_too_old_is_refused_in_one_line(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert setup.main([]) == 1
    assert "needs Python 3.11.1 or newer" in capsys.readouterr().err


def write_wheel(folder: Path, name: str, version: str) -> None:
    about = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    kind = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{about}/METADATA", metadata)
        wheel.writestr(f"{about}/WHEEL", kind)
        wheel.writestr(f"{about}/RECORD", "")
