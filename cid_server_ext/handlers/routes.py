"""The route table: every address once. The server, openapi.json and the tests read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import (
    again,
    annotations,
    controls,
    datasets,
    deposits,
    document,
    downloads,
    health,
    images,
    instruments,
    invoices,
    journal,
    leaving,
    masks,
    notes,
    notices,
    people,
    projects,
    provenance,
    requests,
    run_batches,
    run_limits,
    run_steering,
    runs,
    search,
    sheets,
    subscriptions,
    tags,
    teams,
    templates,
    trash,
    usage,
    vocabulary,
)
from .base import CidHandler, Unknown
from .data import data_routes
from .endpoints import Endpoint
from .etags import Tagged
from .pages import PAGES

API = "api/v1/"
VERBS = ("get", "post", "put", "patch", "delete")

TABLE: dict[str, type[CidHandler]] = {
    "openapi.json": document.Document,
    "whoami": people.WhoAmI,
    "teams": teams.Teams,
    "teams/{team}": teams.OneTeam,
    "teams/{team}/members/{person}": teams.PlaceInTeam,
    "people/{person}/belongings": leaving.HasWhat,
    "people/{person}/handover": leaving.HandOver,
    "requests": requests.Requests,
    "requests/{request}": requests.OneRequest,
    "requests/{request}/approve": requests.Approve,
    "requests/{request}/refuse": requests.Refuse,
    "requests/{request}/withdraw": requests.Withdraw,
    "projects": projects.Projects,
    "projects/{project}": projects.Project,
    "projects/{project}/members/{person}": people.Member,
    "projects/{project}/allocation": usage.Allocation,
    "projects/{project}/usage": usage.ProjectUsage,
    "projects/{project}/credits": invoices.Credits,
    "teams/{team}/usage": usage.TeamUsage,
    "teams/{team}/limits": run_limits.OneTeamsLimits,
    "limits": run_limits.FacilityLimits,
    "health": health.Health,
    "teams/{team}/invoices/{period}": invoices.TeamInvoice,
    "teams/{team}/invoices/{period}/csv": invoices.InvoiceCsv,
    "teams/{team}/invoices/{period}/pdf": invoices.InvoicePdf,
    "usage": usage.AllUsage,
    "prices": invoices.AllPrices,
    "projects/{project}/datasets": projects.Datasets,
    "projects/{project}/deposits": deposits.Deposits,
    "deposits/{deposit}": deposits.Deposit,
    "deposits/{deposit}/commit": deposits.Commit,
    "datasets/{dataset}": datasets.Dataset,
    "datasets/{dataset}/links/{record}": datasets.Link,
    "records/move": datasets.Move,
    "downloads": downloads.Downloads,
    "notes": notes.AllNotes,
    "notes/{note}": notes.OneNote,
    "trash": trash.Trash,
    "trash/{trash}": trash.OneTrash,
    "trash/{trash}/restore": trash.Restore,
    "journal": journal.Journal,
    "journal/{entry}/undo": journal.Undo,
    "search/count": search.Count,
    "search/facets": search.Facets,
    "search/complete": search.Complete,
    "search/top": search.TopTags,
    "records": search.RecordSearch,
    "images": images.Images,
    "images/{image}": images.Image,
    "images/{image}/tags/{key}": tags.ImageTag,
    "records/{record}": search.OneRecord,
    "records/{record}/tags/{key}": tags.RecordTag,
    "annotations": annotations.Annotations,
    "terms": vocabulary.FacilityTerms,
    "terms/{term}": vocabulary.OneTerm,
    "terms/{term}/merge": vocabulary.MergeTerm,
    "terms/{term}/values": vocabulary.TermValues,
    "terms/{term}/values/{value}/rename": vocabulary.RenameValue,
    "projects/{project}/terms": vocabulary.ProjectTerms,
    "projects/{project}/card": vocabulary.ProjectCard,
    "sheets": sheets.Sheets,
    "sheets/preview": sheets.PreviewSheet,
    "sheets/apply": sheets.ApplySheet,
    "images/{image}/lineage": provenance.ImageLineage,
    "images/{image}/settings": instruments.ImageSettings,
    "images/{image}/controls": controls.ImageControls,
    "instruments": instruments.Instruments,
    "instruments/check": instruments.Check,
    "instruments/standing": instruments.AllStandings,
    "instruments/{instrument}": instruments.OneInstrument,
    "instruments/{instrument}/controls": controls.Controls,
    "instruments/{instrument}/versions": instruments.Versions,
    "instruments/{instrument}/versions/{version}": instruments.OneVersion,
    "masks": masks.Masks,
    "masks/check": masks.CheckMask,
    "masks/{mask}": masks.OneMask,
    "masks/{mask}/versions/{number}": masks.OneMaskVersion,
    "files/{file}": images.File,
    "files/{file}/tags/{key}": tags.FileTag,
    "templates": templates.Templates,
    "templates/{template}": templates.Template,
    "templates/{template}/promote": templates.PromoteTemplate,
    "templates/{template}/schema": templates.Schema,
    "templates/{template}/versions": templates.Versions,
    "templates/{template}/versions/{number}": templates.Version,
    "templates/{template}/versions/{number}/diff": templates.Difference,
    "templates/{template}/versions/{number}/withdraw": templates.WithdrawVersion,
    "runs": runs.Runs,
    "runs/preflight": runs.Preflight,
    "runs/{run}": runs.Run,
    "runs/{run}/cancel": runs.Cancel,
    "runs/{run}/pause": run_steering.Pause,
    "runs/{run}/resume": run_steering.Resume,
    "runs/{run}/retry": run_steering.Retry,
    "runs/{run}/replay": again.Replay,
    "runs/{run}/comparison": again.Comparison,
    "runs/{run}/diff/{other}": again.Difference,
    "runs/{run}/work": runs.Work,
    "runs/{run}/provenance": provenance.RunProvenance,
    "runs/{run}/crate": provenance.RunCrate,
    "batches/{batch}/crate": provenance.BatchCrate,
    "keys": provenance.PublicKeys,
    "runs/{run}/progress": runs.Progress,
    "runs/{run}/deposits": runs.RunDeposits,
    "batches": run_batches.RunBatches,
    "batches/preview": run_batches.PreviewBatch,
    "batches/{batch}": run_batches.OneRunBatch,
    "batches/{batch}/cancel": run_steering.CancelBatch,
    "batches/{batch}/pause": run_steering.PauseBatch,
    "batches/{batch}/priority": run_steering.PriorityOfBatch,
    "batches/{batch}/resume": run_steering.ResumeBatch,
    "batches/{batch}/retry": run_steering.RetryBatch,
    "notices": notices.AllNotices,
    "notices/read": notices.ReadNotices,
    "notices/mail": notices.MailNotices,
    "subscriptions": subscriptions.Subscriptions,
    "subscriptions/preview": subscriptions.Preview,
    "subscriptions/{subscription}": subscriptions.OneSubscription,
    "subscriptions/{subscription}/matches": subscriptions.Matches,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb of one address."""

    method: str
    path: str
    endpoint: Endpoint


def operations() -> Iterator[Operation]:
    """Yield every verb that the table serves."""
    for path, handler in TABLE.items():
        for verb in VERBS:
            declared = getattr(getattr(handler, verb), "endpoint", None)
            if declared is not None:
                yield Operation(verb.upper(), path, declared)


def routes(base: str) -> list[tuple[str, type, dict[str, Any]]]:
    """Return tornado's (pattern, handler, settings) below `base`, a path that ends in a slash."""
    table = [
        (base + API + _pattern(path), handler, {"tagged": tagged(path)})
        for path, handler in TABLE.items()
    ]
    data = [(base.rstrip("/") + pattern, handler, {}) for pattern, handler in data_routes()]
    pages = [(base + pattern, page, {}) for pattern, page in PAGES]
    unknown = [(base + pattern, Unknown, {}) for pattern in (API + ".*", "api")]
    return [*table, *data, *unknown, *pages]


def tagged(path: str) -> Tagged | None:
    """Return the GET whose ETag a change at `path` may name: its own, or the nearest above."""
    while path:
        declared: Endpoint | None = getattr(getattr(TABLE.get(path), "get", None), "endpoint", None)
        if declared is not None and declared.tagged:
            names = tuple(re.findall(r"{(\w+)}", path))
            get = TABLE[path].get.__wrapped__  # type: ignore[attr-defined]
            assert declared.answer is not None
            return Tagged(path, get, declared.answer, names, declared.passing)
        path = path.rpartition("/")[0]
    return None


def _pattern(path: str) -> str:
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
