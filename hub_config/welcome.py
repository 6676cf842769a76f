"""The notebook that a demo account finds in its home: a tour of what that person may do."""

from __future__ import annotations

from pathlib import Path

import nbformat

Cells = tuple[tuple[str, str], ...]

HELLO: Cells = (
    (
        "markdown",
        "# Welcome\n\nThis notebook shows the demo's project in the widgets of the catalog. "
        "Press Shift+Enter in each cell. Widgets are used with the mouse or the keyboard.",
    ),
    (
        "code",
        "import cid_client as cid\nfrom cid_widgets import *\n\n"
        "catalog = cid.connect()\ncatalog.whoami()",
    ),
)
BROWSE: Cells = (
    ("markdown", "Browse the project: search, filter, and select images with a click."),
    ("code", 'browser = Browser(catalog, project="demo")\nbrowser'),
)
SCOPES: Cells = (
    (
        "markdown",
        "The facility's microscopes: what each is made of, now and before, and whether its quality "
        "control holds. **Show its images** asks the browser above.",
    ),
    ("code", "Instruments(catalog, browser=browser)"),
)
BRING: Cells = (
    ("markdown", "Bring pictures in: drop files or folders, look what they are, and start."),
    ("code", 'Upload(catalog, "demo")'),
)
WORK: Cells = (
    (
        "markdown",
        "Say what the selected images show, or the three originals if none is selected. Type a "
        "value, press Enter, then **Apply**. **Tag…** in the browser opens the same card.",
    ),
    (
        "code",
        'Tagger(browser.images or catalog.search(project="demo", kind="image"), catalog)',
    ),
    (
        "markdown",
        "Run the published template on the selected images, or on the newest original. **Run…** in "
        "the browser does the same, with a form for its parameters.",
    ),
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
    (
        "markdown",
        "Everything that was done is in the history, and what you did can be taken back there. "
        "What you threw away (**Move…** in the browser) lies in the trash for 30 days.",
    ),
    ("code", 'History(catalog, "demo")'),
    ("code", 'Trash(catalog, "demo")'),
    ("code", "Notices(catalog)"),
    (
        "markdown",
        "What else can be run, in which versions, and what changed from one to another.",
    ),
    ("code", "Templates(catalog)"),
)
ALONE: Cells = (
    (
        "markdown",
        "A template can run by itself on all that a saved search newly finds. The form of a run "
        "says *Do this for every new match*; here is what does so.",
    ),
    ("code", 'Subscriptions(catalog, "demo")'),
)
HELD: Cells = (
    ("markdown", "What takes the project's room, and who belongs to it."),
    ("code", 'Usage(catalog, project="demo")'),
    ("code", 'Members("demo", catalog=catalog)'),
)
STAFF: Cells = (
    (
        "markdown",
        "What only facility staff has: requests for projects, what all teams hold and owe, the "
        "vocabulary, the templates, the microscopes and what uploads from them must say, and what "
        "somebody leaves behind.",
    ),
    ("code", "Requests(catalog)"),
    ("code", "Usage(catalog)"),
    ("code", "Vocabulary(catalog)"),
    ("code", "Templates(catalog)"),
    ("code", "masks = Masks(catalog)\nmasks"),
    ("code", "Instruments(catalog, masks=masks)"),
    ("code", 'Leaving(catalog, "researcher")'),
)
TOURS: dict[str, Cells] = {
    "researcher": HELLO + BROWSE + SCOPES + BRING + WORK + ALONE + HELD,
    "leader": HELLO + BROWSE + SCOPES + BRING + WORK + ALONE + HELD,
    "guest": HELLO + BROWSE + SCOPES + HELD,
    "staff": HELLO + STAFF + BROWSE,
}


def write(path: Path, person: str = "researcher") -> None:
    """Write this person's notebook, unless the account has one of that name already."""
    if path.exists():
        return
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    for number, (kind, source) in enumerate(TOURS[person]):
        new = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        notebook.cells.append(new(source, id=f"cell-{number}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
