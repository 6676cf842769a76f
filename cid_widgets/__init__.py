"""The catalog in a notebook: browse images, fill a template's form, watch runs.

`Browser(catalog)`, `RunForm(catalog, template, images)` and `RunMonitor(batch, catalog=catalog)`
hold state and ask the catalog; their views are ES modules in `js/`, built into `static/`.
"""

from __future__ import annotations

from .browse.browser import Browser
from .history.history import History
from .instruments.instruments import Instruments
from .masks.masks import Masks
from .notices.notices import Notices
from .people.leaving import Leaving
from .people.members import Members
from .people.project_request import ProjectRequest
from .people.requests import Requests
from .runs.run_form import RunForm
from .runs.run_monitor import RunMonitor
from .subscriptions.subscriptions import Subscriptions
from .tags.tagger import Tagger
from .templates.templates import Templates
from .trash.trash import Trash
from .upload.upload import Upload
from .usage.usage import Usage
from .vocabulary.vocabulary import Vocabulary

__all__ = [
    "Browser",
    "History",
    "Instruments",
    "Leaving",
    "Masks",
    "Members",
    "Notices",
    "ProjectRequest",
    "Requests",
    "RunForm",
    "RunMonitor",
    "Subscriptions",
    "Tagger",
    "Templates",
    "Trash",
    "Upload",
    "Usage",
    "Vocabulary",
]
