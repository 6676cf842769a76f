"""CID for notebooks and scripts: find images, read their pixels, run templates, keep results.

    import cid_client as cid
    catalog = cid.connect()

Importing this is light; numpy, zarr, dask and xarray are imported when pixels are first touched.
"""

from __future__ import annotations

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
from .files import File
from .images import Image
from .inside import CurrentRun, current_run, rehearse
from .projects import Project
from .results import Result
from .runs import Batch, Run
from .search import Search
from .templates import Template

__all__ = [
    "BadFile",
    "BadInput",
    "BadParameter",
    "Batch",
    "Catalog",
    "CidError",
    "Conflict",
    "CurrentRun",
    "File",
    "Image",
    "NotAllowed",
    "NotConfigured",
    "NotFound",
    "NotLoggedIn",
    "OverQuota",
    "Person",
    "Project",
    "Result",
    "Run",
    "RunFailed",
    "Search",
    "Template",
    "Unavailable",
    "connect",
    "current_run",
    "find_items",
    "rehearse",
]
