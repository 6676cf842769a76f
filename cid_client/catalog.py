"""The catalog as one person sees it: the way to everything else.

What it can be asked stands beside what it answers with: in `catalog.py` of each folder.
"""

from __future__ import annotations

from dataclasses import dataclass

from .downloads.catalog import Downloads
from .history.catalog import History
from .instruments.catalog import Instruments
from .masks.catalog import HasMasks
from .notices.catalog import Telling
from .people.catalog import People
from .records.catalog import Records
from .runs.catalog import Runs
from .search.catalog import Searches
from .subscriptions.catalog import Subscriptions
from .tags.catalog import Tagging
from .uploads.catalog import Uploads
from .usage.catalog import Accounts
from .wire import environment
from .wire.session import Session


@dataclass(frozen=True, slots=True)
class Person:
    """Who I am to the catalog; `home` is where the catalog runs: laptop or service."""

    name: str
    staff: bool = False
    guest: bool = False
    home: str = ""
    run: str | None = None


def connect(url: str | None = None, token: str | None = None) -> Catalog:
    """Return the catalog at `url` as the one whose `token` it is.

    What is not given comes from the environment: CID_URL, and JUPYTERHUB_API_TOKEN on the hub,
    CID_RUN_TOKEN inside a run, or CID_TOKEN. Nothing is asked of the catalog yet. Raises
    NotConfigured when no address or token is known.
    """
    return Catalog(Session(environment.access(url, token)))


class Catalog(
    Records,
    Searches,
    Uploads,
    Downloads,
    Tagging,
    Runs,
    Subscriptions,
    History,
    People,
    Accounts,
    Instruments,
    HasMasks,
    Telling,
):
    """Images, projects, templates and runs that I reach."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def whoami(self) -> Person:
        """Return who the catalog takes me for."""
        told = self.session.get("whoami")
        known = {key: told[key] for key in Person.__dataclass_fields__ if key in told}
        return Person(**known)

    def close(self) -> None:
        """Close the connections; they open again when they are needed."""
        self.session.close()

    def __repr__(self) -> str:
        return f"<Catalog {self.session.url}>"
