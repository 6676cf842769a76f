"""agent.toml: what is watched, where it goes, how patient the agent is. Told by field."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import NotConfigured
from ..wire import environment
from .places import is_share, nested
from .rules import Rule, read_rule

IGNORED = ("*.tmp", "~*", ".*", "Thumbs.db", "desktop.ini")
SECRET = "name a file that holds it, as {0}_file, or set CID_{1}; it has no place in this file"

# field -> (default, least, most)
TIMING = {
    "scan": (30.0, 0.1, 86_400.0),
    "quiet": (60.0, 0.0, 86_400.0),
    "companions": (86_400.0, 0.0, 30 * 86_400.0),
}


@dataclass(frozen=True, slots=True)
class Watch:
    """A folder that is watched, the microscope that writes there, and what is passed by there.

    acquisitions: patterns of folders each of which is one acquisition, as OME-Zarr folders are.
    """

    folder: Path
    instrument: str = ""
    ignore: tuple[str, ...] = IGNORED
    acquisitions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: between two scans, without a change until complete, that companions may take."""

    scan: float = 30.0
    quiet: float = 60.0
    companions: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Config:
    """All that an agent is told. url and token "": the environment says them."""

    state: Path
    watched: tuple[Watch, ...]
    rules: tuple[Rule, ...]
    timing: Timing = Timing()
    jobs: int = 3
    status_port: int = 0
    url_file: Path | None = None
    token_file: Path | None = None

    def access(self) -> environment.Access:
        """Return where the catalog is and who we are there, or raise NotConfigured."""
        return environment.access(_line(self.url_file), _line(self.token_file))


def read(path: Path) -> Config:
    """Return what a file says, or raise NotConfigured with a line for each field that is wrong."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        told = tomllib.loads(text)
    except FileNotFoundError:
        raise NotConfigured(
            f"{path} does not exist: write it as docs/operator/agent.md says"
        ) from None
    except (OSError, ValueError) as error:
        quotes = "; write paths of Windows in single quotes" if "\\" in text else ""
        raise NotConfigured(f"{path}: {error}{quotes}") from None
    reading = _Reading()
    config = reading.config(told)
    if reading.wrong or config is None:
        raise NotConfigured("\n".join(f"{path.name}: {line}" for line in reading.wrong))
    return config


def _line(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8-sig").strip() or None
    except (OSError, ValueError) as error:
        raise NotConfigured(f"{file}: {error}") from None


class _Reading:
    """Reads fields and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def config(self, told: Mapping[str, Any]) -> Config | None:
        """Return the whole, None where what is wrong left nothing to return."""
        self.only("", told, {"agent", "catalog", "timing", "watch", "rules"})
        agent = self.table(told, "agent", {"state", "jobs", "status_port"})
        catalog = told.get("catalog", {})
        for secret in ("url", "token"):
            if isinstance(catalog, dict) and secret in catalog:
                self.say(f"catalog.{secret}", SECRET.format(secret, secret.upper()))
                catalog = {key: value for key, value in catalog.items() if key != secret}
        files = self.table({"catalog": catalog}, "catalog", {"url_file", "token_file"})
        state = self.path("agent.state", agent.get("state"))
        watched = tuple(self.watches(told.get("watch", [])))
        rules = tuple(self.rules(told.get("rules", [])))
        timing = self.timing(self.table(told, "timing", set(TIMING)))
        jobs = self.number("agent.jobs", agent.get("jobs", 3), 1, 16)
        port = self.number("agent.status_port", agent.get("status_port", 0), 0, 65_535)
        url_file, token_file = (
            self.path(f"catalog.{key}", files[key]) if key in files else None
            for key in ("url_file", "token_file")
        )
        self.apart(state, watched)
        if state is None:
            return None
        return Config(state, watched, rules, timing, int(jobs), int(port), url_file, token_file)

    def watches(self, told: Any) -> Iterator[Watch]:
        """Yield the folders that are watched."""
        for at, one in enumerate(self.tables("watch", told), 1):
            here = f"watch {at}"
            self.only(f"{here}.", one, {"folder", "instrument", "ignore", "acquisitions"})
            folder = self.path(f"{here}.folder", one.get("folder"))
            instrument = self.text(f"{here}.instrument", one.get("instrument", ""))
            ignore = self.texts(f"{here}.ignore", one.get("ignore", list(IGNORED)))
            whole = self.texts(f"{here}.acquisitions", one.get("acquisitions", []))
            if folder is not None:
                yield Watch(folder, instrument, ignore, whole)

    def rules(self, told: Any) -> Iterator[Rule]:
        """Yield the rules in their order."""
        for at, one in enumerate(self.tables("rules", told), 1):
            rule = read_rule(one, at, partial(self.of_rule, at))
            if rule is not None:
                yield rule

    def timing(self, told: Mapping[str, Any]) -> Timing:
        """Return how patient to be."""
        return Timing(
            **{
                key: self.number(f"timing.{key}", told.get(key, default), least, most)
                for key, (default, least, most) in TIMING.items()
            }
        )

    def apart(self, state: Path | None, watched: tuple[Watch, ...]) -> None:
        """Say so when the agent would write where a microscope does, or scan a folder twice."""
        if state is not None and is_share(state):
            self.say("agent.state", f"{state} is on another computer: give a folder of this one")
        for at, watch in enumerate(watched, 1):
            folder = watch.folder.resolve()
            memory = [(state, "agent.state"), (_memory(), "CID_STATE")]
            for mine, name in memory:
                if mine is not None and mine.resolve().is_relative_to(folder):
                    self.say(
                        name, f"{mine} lies in {folder}, which is watched and never written to"
                    )
            for other in watched[: at - 1]:
                there = other.folder.resolve()
                if nested(folder, there):
                    self.say(f"watch {at}.folder", f"{folder} and {there} lie in each other")

    def of_rule(self, at: int, field: str, why: str) -> None:
        """Note what is wrong with a rule."""
        self.say(f"rule {at}.{field}", why)

    def say(self, field: str, why: str) -> None:
        """Note what is wrong."""
        self.wrong.append(f"{field}: {why}")

    def table(self, told: Mapping[str, Any], name: str, known: set[str]) -> Mapping[str, Any]:
        """Return a table, empty when there is none."""
        found = told.get(name, {})
        if not isinstance(found, dict):
            self.say(name, f"write it as [{name}]")
            return {}
        self.only(f"{name}.", found, known)
        return found

    def tables(self, name: str, told: Any) -> list[Mapping[str, Any]]:
        """Return a list of tables; one at least is asked for."""
        if not isinstance(told, list) or not told or not all(isinstance(one, dict) for one in told):
            self.say(name, f"write one [[{name}]] at least")
            return []
        return told

    def only(self, where: str, told: Mapping[str, Any], known: set[str]) -> None:
        """Note fields that nobody knows."""
        for key in sorted(set(told) - known):
            self.say(f"{where}{key}", f"is not known; known are {', '.join(sorted(known))}")

    def path(self, field: str, told: Any) -> Path | None:
        """Return a whole path."""
        if not isinstance(told, str) or not told:
            self.say(field, "give a path")
            return None
        if not Path(told).is_absolute():
            self.say(field, f"{told!r}: give the whole path, as a service has no folder of its own")
            return None
        return Path(told)

    def number(self, field: str, told: Any, least: float, most: float) -> float:
        """Return a number between two."""
        if isinstance(told, bool) or not isinstance(told, int | float) or not least <= told <= most:
            self.say(field, f"give a number from {least:g} to {most:g}")
            return least
        return float(told)

    def text(self, field: str, told: Any) -> str:
        """Return a text."""
        if not isinstance(told, str):
            self.say(field, "give a text in quotes")
            return ""
        return told

    def texts(self, field: str, told: Any) -> tuple[str, ...]:
        """Return several texts."""
        if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
            self.say(field, 'give a list of texts, as ["*.tmp"]')
            return ()
        return tuple(told)


def _memory() -> Path | None:
    """Return where uploads under way are remembered, if this account has such a place."""
    try:
        return environment.state_folder()
    except RuntimeError:
        return None
