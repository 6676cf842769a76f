"""The catalog in a notebook: browse images, fill a template's form, watch runs.

`Browser(catalog)`, `RunForm(catalog, template, images)` and `RunMonitor(batch, catalog=catalog)`
hold state and ask the catalog; their views are ES modules in `js/`, built into `static/`.
"""

from __future__ import annotations

from .browser import Browser
from .run_form import RunForm
from .run_monitor import RunMonitor

__all__ = ["Browser", "RunForm", "RunMonitor"]
