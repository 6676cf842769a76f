"""Where the catalog is and who we are, as the environment says. Only this reads `os.environ`."""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import NotConfigured


@dataclass(frozen=True, slots=True)
class Access:
    """The catalog's base address, with a slash at its end, and the Authorization to show it.

    `run` names the run whose token that is, and its attempt: uid.1; else empty.
    """

    url: str
    authorization: str = field(repr=False)
    run: str = ""


@dataclass(frozen=True, slots=True)
class InsideRun:
    """What a run's kernel is told."""

    uid: str
    scratch: Path


def access(url: str | None = None, token: str | None = None) -> Access:
    """Return where to connect and as whom, or raise NotConfigured.

    What is given wins. A hub or run token of the environment is shown to the catalog of the same
    environment only, never to another address; CID_TOKEN is shown wherever it was asked to connect.
    """
    home = os.environ.get("CID_URL", "")
    where = url or home
    if not where:
        raise NotConfigured(
            "no catalog address: give connect(url=...) or set CID_URL, "
            "such as https://hub.example.org/services/cid/"
        )
    if not isinstance(where, str) or not urlsplit(where).netloc:
        raise NotConfigured(f"catalog address {where!r}: begin it with http:// or https://")
    if token:
        return Access(_slashed(where), f"token {token}")
    authorization = _authorization(at_home=bool(home) and _origin(where) == _origin(home))
    if authorization is None:
        raise NotConfigured(
            f"no token for {where}: give connect(token=...) or set CID_TOKEN; "
            "on the hub your notebook has one already"
        )
    of_run = authorization.startswith("CID-Run ")
    return Access(_slashed(where), authorization, _attempt() if of_run else "")


def access_again(url: str, run: str = "") -> Access:
    """Return where this process connects for what was pickled in another that knew `url`.

    What a run pickled opens, on a worker of its cluster, what that run may open and no more: the
    worker makes the run's token from the cluster's key, so no token travels.
    """
    where = os.environ.get("CID_URL") or url
    key = os.environ.get("CID_RUN_KEY")
    if run and key and _attempt() != run:
        token = hmac.new(key.encode(), run.encode(), hashlib.sha256).hexdigest()
        return Access(_slashed(where), f"CID-Run {token}", run)
    return access(where)


def state_folder() -> Path:
    """Return the folder of this user where uploads under way are remembered."""
    if chosen := os.environ.get("CID_STATE"):
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "cid"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "cid"
    return Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "cid"


def inside_run() -> InsideRun | None:
    """Return the run this kernel belongs to, or None outside of runs."""
    uid = os.environ.get("CID_RUN")
    if not uid:
        return None
    scratch = os.environ.get("CID_SCRATCH")
    if not scratch:
        raise NotConfigured(f"run {uid} has no scratch folder: CID_SCRATCH is not set")
    return InsideRun(uid, Path(scratch))


def _attempt() -> str:
    uid, attempt = os.environ.get("CID_RUN"), os.environ.get("CID_ATTEMPT", "1")
    return f"{uid}.{attempt}" if uid else ""


def _authorization(at_home: bool) -> str | None:
    if at_home and (run_token := os.environ.get("CID_RUN_TOKEN")):
        return f"CID-Run {run_token}"
    if chosen := os.environ.get("CID_TOKEN"):
        return f"token {chosen}"
    if at_home and (hub_token := os.environ.get("JUPYTERHUB_API_TOKEN")):
        return f"token {hub_token}"
    return None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _slashed(url: str) -> str:
    return url if url.endswith("/") else url + "/"
