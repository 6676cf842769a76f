"""The notebook that a demo account finds in its home."""

from __future__ import annotations

from pathlib import Path

import nbformat

CELLS = (
    (
        "markdown",
        "# Welcome\n\nThis notebook finds the demo's images, runs a published template on those "
        "you select, and shows what it made. Press Shift+Enter in each cell.",
    ),
    ("code", "import cid_client as cid\n\ncatalog = cid.connect()\ncatalog.whoami()"),
    ("markdown", "Browse the project, and select images with a click."),
    (
        "code",
        "from cid_widgets import Browser, RunMonitor\n\n"
        'browser = Browser(catalog, project="demo")\nbrowser',
    ),
    ("markdown", "Run the template on the selected images, or on the newest one if there is none."),
    (
        "code",
        'images = browser.images or [catalog.search(project="demo", kind="image")[0]]\n'
        'batch = catalog.run("segment-cells", images)\n'
        "RunMonitor(batch, catalog=catalog)",
    ),
    (
        "markdown",
        "The runs go on without this notebook. Wait for them, then look at the first result: its "
        "label image, its table of objects, and the executed notebook that tells how it was made.",
    ),
    ("code", "result = batch.wait().result[0]\nresult"),
    ("code", 'result.table("objects").head()'),
    ("code", "result.labels.to_xarray()"),
)


def write(path: Path) -> None:
    """Write the notebook, unless the account has one of that name already."""
    if path.exists():
        return
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    for number, (kind, source) in enumerate(CELLS):
        new = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        notebook.cells.append(new(source, id=f"cell-{number}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
