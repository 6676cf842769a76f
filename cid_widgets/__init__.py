"""The catalog in a notebook: browse images, fill a template's form, watch runs.

`Browser(catalog)`, `RunForm(catalog, template, images)` and `RunMonitor(batch, catalog=catalog)`
hold state and ask the catalog; their views are ES modules in `js/`, built into `static/`.
"""

from __future__ import annotations

from .browser import Browser
from .history import History
from .leaving import Leaving
from .members import Members
from .project_request import ProjectRequest
from .requests import Requests
from .run_form import RunForm
from .run_monitor import RunMonitor
from .tagger import Tagger
from .trash import Trash
from .usage import Usage
from .vocabulary import Vocabulary

__all__ = [
    "Browser",
    "History",
    "Leaving",
    "Members",
    "ProjectRequest",
    "Requests",
    "RunForm",
    "RunMonitor",
    "Tagger",
    "Trash",
    "Usage",
    "Vocabulary",
]
