"""CID for notebooks and scripts: find images, read their pixels, run templates, keep results.

    import cid_client as cid
    catalog = cid.connect()

Importing this is light; numpy, zarr, dask and xarray are imported when pixels are first touched.
"""

from __future__ import annotations

from .again.differences import RunDiff, diff
from .again.replays import ReplayResult
from .catalog import Catalog, Person, connect
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
    Wrong,
)
from .history.entries import Entry
from .history.trash import Trash
from .instruments.instruments import Instrument
from .instruments.versions import read as read_description
from .masks.checked import CheckedMask
from .masks.masks import Mask
from .notices.notices import Notice
from .people.leaving import Belongings, Handover
from .people.members import Member, Members
from .people.requests import Request
from .people.teams import Team
from .recording.recording import Recording, record
from .records.datasets import Dataset, Moved
from .records.files import File
from .records.images import Image
from .records.notes import Note
from .records.projects import Project
from .records.quality import Quality
from .runs.batch import Batch
from .runs.inside import CurrentRun, by_hand, current_run, rehearse
from .runs.orders import Order, TablePreview
from .runs.preflight import Preflight
from .runs.provenance import Provenance
from .runs.results import Result
from .runs.runs import Run
from .runs.steps import Step
from .runs.templates import Template
from .search.facets import Facet
from .search.found import RecordSearch, Search
from .subscriptions.subscriptions import Estimate, Subscription
from .tags.annotate import Annotated
from .tags.sheets import Preview
from .tags.tagged import Tags
from .tags.vocabulary import Renamed, Term, Value
from .uploads.items import find_items
from .usage.invoices import Invoice, Prices
from .usage.usage import Overview, TeamUsage, Usage

__all__ = [
    "Annotated",
    "BadFile",
    "BadInput",
    "BadParameter",
    "Batch",
    "Belongings",
    "Catalog",
    "Change",
    "CheckedMask",
    "CidError",
    "Conflict",
    "CurrentRun",
    "Dataset",
    "Entry",
    "Estimate",
    "Facet",
    "File",
    "Handover",
    "Image",
    "Instrument",
    "Invoice",
    "Mask",
    "Member",
    "Members",
    "Moved",
    "NotAllowed",
    "NotConfigured",
    "NotFound",
    "NotLoggedIn",
    "Note",
    "Notice",
    "Order",
    "OverQuota",
    "Overview",
    "Person",
    "Preflight",
    "Preview",
    "Prices",
    "Project",
    "Provenance",
    "Quality",
    "RecordSearch",
    "Recording",
    "Renamed",
    "ReplayResult",
    "Request",
    "Result",
    "Run",
    "RunDiff",
    "RunFailed",
    "Search",
    "Step",
    "Subscription",
    "TablePreview",
    "Tags",
    "Team",
    "TeamUsage",
    "Template",
    "Term",
    "Trash",
    "Unavailable",
    "Usage",
    "Value",
    "Wrong",
    "by_hand",
    "connect",
    "current_run",
    "diff",
    "find_items",
    "read_description",
    "record",
    "rehearse",
]
