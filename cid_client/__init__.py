"""CID for notebooks and scripts: find images, read their pixels, run templates, keep results.

    import cid_client as cid
    catalog = cid.connect()

Importing this is light; numpy, zarr, dask and xarray are imported when pixels are first touched.
"""

from __future__ import annotations

from .annotate import Annotated
from .catalog import Catalog, Person, connect, find_items
from .errors import (
    BadFile,
    BadInput,
    BadParameter,
    CidError,
    Conflict,
    NotAllowed,
    NotConfigured,
    NotFound,
    NotLoggedIn,
    OverQuota,
    RunFailed,
    Unavailable,
)
from .facets import Facet
from .files import File
from .history import Entry
from .images import Image
from .inside import CurrentRun, current_run, rehearse
from .projects import Project
from .results import Result
from .runs import Batch, Run
from .search import Search
from .sheets import Preview
from .templates import Template
from .trash import Trash
from .usage import Usage

__all__ = [
    "Annotated",
    "BadFile",
    "BadInput",
    "BadParameter",
    "Batch",
    "Catalog",
    "CidError",
    "Conflict",
    "CurrentRun",
    "Entry",
    "Facet",
    "File",
    "Image",
    "NotAllowed",
    "NotConfigured",
    "NotFound",
    "NotLoggedIn",
    "OverQuota",
    "Person",
    "Preview",
    "Project",
    "Result",
    "Run",
    "RunFailed",
    "Search",
    "Template",
    "Trash",
    "Unavailable",
    "Usage",
    "connect",
    "current_run",
    "find_items",
    "rehearse",
]
