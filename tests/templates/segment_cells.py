"""The functions of the template's notebook, without its run."""

from __future__ import annotations

import ast
import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np

FOLDER = Path(__file__).parents[2] / "notebooks" / "templates" / "segment-cells"
MANIFEST = tomllib.loads((FOLDER / "template.toml").read_text("utf-8"))


def notebook() -> Any:
    """Return the notebook as it is published."""
    return nbformat.read(FOLDER / "template.ipynb", as_version=4)


def functions() -> dict[str, Any]:
    """Return what the notebook's cells define: imports, functions and constants in capitals."""
    space: dict[str, Any] = {}
    for cell in notebook().cells:
        if cell.cell_type == "code":
            tree = ast.parse(cell.source)
            tree.body = [node for node in tree.body if _defines(node)]
            exec(compile(tree, "template.ipynb", "exec"), space)
    return space


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return all(isinstance(name, ast.Name) and name.id.isupper() for name in node.targets)
    return isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom)


def segmented(picture: np.ndarray, **parameters: Any) -> np.ndarray:
    """Return the labels of a picture, (z) y x or y x 3, as the notebook finds them."""
    made = functions()
    colour = picture.ndim == 3 and picture.shape[-1] == 3
    if colour and made["is_grey"](picture):
        picture, colour = picture[..., 0], False
    if colour:
        strength = made["colour_strength"](picture, made["colour_looks"](picture))
    else:
        strength = made["strength"](picture, made["looks"](picture))
    return made["segment"](strength, **parameters)


def truth(script: str) -> ModuleType:
    """Return one of the template's truth scripts as a module."""
    spec = importlib.util.spec_from_file_location(Path(script).stem, FOLDER / script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
