"""CID for notebooks and scripts: find images, read their pixels, run templates, keep results.

    import cid_client as cid
    catalog = cid.connect()

Importing this is light; numpy, zarr, dask and xarray are imported when pixels are first touched.
"""

from __future__ import annotations

from .annotate import Annotated
from .catalog import Catalog, Person, connect, find_items
from .datasets import Dataset, Moved
from .errors import (
    BadFile,
    BadInput,
    BadParameter,
    Change,
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
from .invoices import Invoice, Prices
from .leaving import Belongings, Handover
from .members import Member, Members
from .notes import Note
from .projects import Project
from .requests import Request
from .results import Result
from .runs import Batch, Run
from .search import RecordSearch, Search
from .sheets import Preview
from .tagged import Tags
from .teams import Team
from .templates import Template
from .trash import Trash
from .usage import Overview, TeamUsage, Usage
from .vocabulary import Renamed, Term, Value

__all__ = [
    "Annotated",
    "BadFile",
    "BadInput",
    "BadParameter",
    "Batch",
    "Belongings",
    "Catalog",
    "Change",
    "CidError",
    "Conflict",
    "CurrentRun",
    "Dataset",
    "Entry",
    "Facet",
    "File",
    "Handover",
    "Image",
    "Invoice",
    "Member",
    "Members",
    "Moved",
    "NotAllowed",
    "NotConfigured",
    "NotFound",
    "NotLoggedIn",
    "Note",
    "OverQuota",
    "Overview",
    "Person",
    "Preview",
    "Prices",
    "Project",
    "RecordSearch",
    "Renamed",
    "Request",
    "Result",
    "Run",
    "RunFailed",
    "Search",
    "Tags",
    "Team",
    "TeamUsage",
    "Template",
    "Term",
    "Trash",
    "Unavailable",
    "Usage",
    "Value",
    "connect",
    "current_run",
    "find_items",
    "rehearse",
]
