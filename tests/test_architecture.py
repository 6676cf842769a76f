"""The house holds: arrows point down, files stay small, routes and names are where one looks."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("cid_server_ext", "cid_client", "cid_widgets", "hub_config")
CEILING = 400

# who may not import what; "inside", "cli" and "checking" are clients of the service like any other
FORBIDDEN = {
    "cid_server_ext/core": {
        "tornado",
        "traitlets",
        "zarr",
        "papermill",
        "dask",
        "distributed",
        "jupyter_server",
        "cid_server_ext.handlers",
        "cid_server_ext.storage",
        "cid_server_ext.ingest",
        "cid_server_ext.runners",
        "cid_server_ext.memory",
        "cid_server_ext.app",
        "cid_client",
    },
    "cid_server_ext/db": {"tornado", "cid_server_ext.core", "cid_server_ext.handlers"},
    "cid_server_ext/memory": {
        "tornado",
        "cid_server_ext.handlers",
        "cid_server_ext.ingest",
        "cid_server_ext.runners",
        "cid_server_ext.app",
        "cid_client",
    },
    "cid_server_ext/storage": {
        "sqlalchemy",
        "tornado",
        "cid_server_ext.core",
        "cid_server_ext.db",
        "cid_server_ext.handlers",
        "cid_server_ext.memory",
        "cid_client",
    },
    "cid_server_ext/ingest": {"tornado", "cid_server_ext.handlers", "cid_client"},
    "cid_server_ext/checking": {"sqlalchemy", "tornado", "cid_server_ext.handlers"},
    "cid_server_ext/handlers": {"sqlalchemy.create_engine", "cid_client", "papermill", "zarr"},
    "cid_client": {"cid_server_ext", "cid_widgets", "hub_config", "sqlalchemy", "tornado"},
    "cid_widgets": {"cid_server_ext", "hub_config", "sqlalchemy", "zarr", "dask"},
}
CLIENTS = (
    "cid_server_ext/cli.py",
    "cid_server_ext/runners/inside.py",
    "cid_server_ext/runners/worker/",
    "cid_server_ext/checking/",
)


def sources(folder: str, suffix: str = ".py") -> list[Path]:
    return [p for p in sorted((ROOT / folder).rglob(f"*{suffix}")) if "versions" not in p.parts]


def imports(path: Path) -> Iterator[str]:
    """Yield every module a file imports, in full, wherever in the file."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_arrows_point_down(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(folder)
        for module in imports(path)
        for banned in FORBIDDEN[folder]
        if module == banned or module.startswith(banned + ".")
    ]
    assert sources(folder)
    assert not wrong


def test_only_clients_in_the_server_import_the_client() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in sources("cid_server_ext")
        for module in imports(path)
        if module.split(".")[0] == "cid_client"
    }
    assert not [path for path in found if not path.startswith(CLIENTS)]


def test_templates_import_the_client_only() -> None:
    import json

    for notebook in (ROOT / "notebooks" / "templates").rglob("*.ipynb"):
        code = "".join(
            "".join(cell["source"]) + "\n"
            for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        )
        assert "cid_client" in code
        assert "cid_server_ext" not in code


@pytest.mark.parametrize("folder", [*OURS, "tests", "bench", "tools"])
def test_no_file_is_larger_than_one_idea(folder: str) -> None:
    files = [p for s in (".py", ".ts", ".mjs", ".css") for p in sources(folder, s)]
    files = [p for p in files if "static" not in p.parts]
    large = {
        str(p.relative_to(ROOT)): n
        for p in files
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > CEILING
    }
    assert not large


@pytest.mark.parametrize("folder", OURS)
def test_every_module_says_what_it_is_for(folder: str) -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources(folder)
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_a_widget_lies_in_the_folder_that_has_the_parts_of_its_view() -> None:
    js = ROOT / "cid_widgets" / "js"
    for view in js.glob("*.ts"):
        [widget] = (ROOT / "cid_widgets").glob(f"*/{view.stem}.py")
        assert f'from "./{widget.parent.name}/' in view.read_text(encoding="utf-8")


HEAVY = {
    "cid_client": {"zarr", "dask", "xarray", "numpy", "pandas", "sqlalchemy", "IPython"},
    "cid_widgets": {"zarr", "dask", "xarray", "sqlalchemy", "bioio", "cid_server_ext"},
    "cid_server_ext.pointer": {"sqlalchemy", "bioio", "zarr", "dask", "tensorstore", "papermill"},
}


@pytest.mark.parametrize("module", HEAVY)
def test_importing_a_front_door_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*[m for m in {HEAVY[module]!r} if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert loaded.stdout.split() == []
