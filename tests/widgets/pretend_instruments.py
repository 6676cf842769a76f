"""Microscopes in memory: the real client asks a session that answers as the service does."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import microscopes
from pretend import HOSTILE, Refused

from cid_client.instruments.instruments import Register
from cid_client.wire.session import Told
from cid_server_ext.core.catalog import controls, descriptions
from cid_server_ext.db.tables import Control

TODAY = dt.datetime.now(dt.UTC)


def version(uid: str, since: str, made_of: Mapping[str, Any], why: str, **more: Any) -> Any:
    document = more.get("document") or {}
    told = descriptions.tier(document)
    missing = {str(n): fields for n, fields in told.missing.items()} if told else {}
    return {
        "uid": uid,
        "valid_from": f"{since}T00:00:00+00:00" if len(since) == 10 else since,
        "hardware": dict(descriptions.hardware(made_of, None)),
        "why": why,
        "person": "staff",
        "tier": told and {"reached": told.reached, "missing": missing},
    }


def scope(uid: str, name: str, *versions: Any, **more: Any) -> dict[str, Any]:
    told = {"uid": uid, "name": name, "serial": "", "room": "", "names": [], "retired": False}
    return {**told, "versions": list(versions), **more}


def number(metric: str, value: float, days_ago: int, **more: Any) -> dict[str, Any]:
    limits = {"low": None, "high": None, "every": None, "place": "", "unit": "", **more}
    at = TODAY - dt.timedelta(days=days_ago)
    row = Control(value=value, measured_at=at, **{k: limits[k] for k in ("low", "high", "every")})
    due = controls.due(row)
    return {
        "uid": f"{metric}-{days_ago}",
        "metric": metric,
        "value": value,
        "measured_at": at.isoformat(),
        "fine": controls.fine(row),
        "due": due and due.isoformat(),
        "evidence": "",
        "note": "",
        "person": "staff",
        **limits,
    }


class Session:
    """Answers for the register; a change is kept so that it can be taken back."""

    me = "staff"

    def __init__(self, scopes: list[dict[str, Any]], measured: dict[str, list[Any]]) -> None:
        self.scopes = {one["uid"]: one for one in scopes}
        self.measured = measured
        self.before: dict[int, Any] = {}
        self.uids = itertools.count(1)
        self.trouble: Exception | None = None

    def get(self, path: str) -> Any:
        match path.split("/"):
            case ["instruments"]:
                rows = sorted(self.scopes.values(), key=lambda one: one["name"])
                return {"instruments": copy.deepcopy(rows)}
            case ["instruments", "standing"]:
                return {"instruments": [self._standing(uid) for uid in self.scopes]}
            case ["instruments", uid, "controls"]:
                rows = self.measured.get(uid, [])
                return {"measurements": sorted(rows, key=lambda r: r["measured_at"], reverse=True)}
            case ["instruments", uid]:
                return copy.deepcopy(self.scopes[uid])
        raise KeyError(path)

    def look(self, path: str) -> Told:
        return Told(self.get(path), None, None)

    def send(self, verb: str, path: str, body: Any = None) -> Any:
        return self.tell(verb, path, body).body

    def tell(self, verb: str, path: str, body: Any = None, *, etag: str | None = None) -> Told:
        if self.trouble is not None:
            raise self.trouble
        if path == "instruments/check":
            document = body.get("document") or {}
            found = dict(descriptions.hardware(body.get("hardware"), body.get("document")))
            made = version("", "2026-01-01", found, "", document=document)
            name = descriptions.called(document, found)
            return Told({"name": name, "hardware": found, "tier": made["tier"]}, None, None)
        if path.startswith("journal/"):
            self.scopes, self.measured = self.before[int(path.split("/")[1])]
            return Told(None, None, None)
        entry = next(self.uids)
        self.before[entry] = copy.deepcopy((self.scopes, self.measured))
        return Told(self._change(path.split("/"), body), None, entry)

    def _change(self, path: list[str], body: Any) -> Any:
        match path:
            case ["instruments"]:
                made = scope(f"new-{next(self.uids)}", **body)
                self.scopes[made["uid"]] = made
                return copy.deepcopy(made)
            case ["instruments", uid, "controls"]:
                told = body["measurements"][0]
                at = body.get("measured_at")
                day = dt.datetime.fromisoformat(at) if at else TODAY
                row = number(days_ago=(TODAY - day).days, **told) | {"note": body["note"]}
                self.measured.setdefault(uid, []).append(row)
                return {"measurements": [row]}
            case ["instruments", uid, "versions"]:
                hardware = descriptions.hardware(body.get("hardware"), body.get("document"))
                since = body.get("valid_from") or TODAY.isoformat()
                name, why = f"v-{next(self.uids)}", body["why"]
                new = version(name, since, hardware, why, document=body.get("document"))
                several = [*self.scopes[uid]["versions"], new]
                several.sort(key=lambda one: one["valid_from"], reverse=True)
                self.scopes[uid]["versions"] = several
            case ["instruments", uid]:
                self.scopes[uid] |= body
        return copy.deepcopy(self.scopes[path[1]])

    def _standing(self, uid: str) -> dict[str, Any]:
        newest = {
            (r["metric"], r["place"]): r
            for r in self.get(f"instruments/{uid}/controls")["measurements"][::-1]
        }
        names = [{"metric": m, "place": p} for m, p in newest]
        out = [n for n, r in zip(names, newest.values(), strict=True) if r["fine"] is False]
        late = [
            n
            for n, r in zip(names, newest.values(), strict=True)
            if r["due"] and dt.datetime.fromisoformat(r["due"]) < TODAY
        ]
        control = "out" if out else "overdue" if late else "within" if newest else "never"
        used = {"confocal": (412, "2026-11-03T10:00:00+00:00")}.get(uid, (0, None))
        return {
            "uid": uid,
            "name": self.scopes[uid]["name"],
            "images": used[0],
            "last_used": used[1],
            "control": control,
            "measured_at": None,
            "out": out,
            "overdue": late,
        }


class Facility:
    """A catalog with microscopes."""

    def __init__(self, *, staff: bool = True) -> None:
        self.staff = staff
        tube = {**microscopes.HARDWARE, "detectors": ["AcmeTube GaAsP 2", "Transmission"]}
        widefield = descriptions.hardware(None, microscopes.MICROSCOPE)
        confocal = scope(
            "confocal",
            "Confocal 1",
            version("c3", "2026-06-01", tube, "the first tube died"),
            version("c1", "2026-01-01", microscopes.HARDWARE, "as installed"),
            serial="2502-77",
            room="B 12",
            names=["LSM 880"],
        )
        plain = scope(
            "wide",
            "Widefield 2",
            version("w1", "2026-02-01", widefield, "", document=microscopes.MICROSCOPE),
            room="C 3",
        )
        rows = [confocal, plain, scope("old", "Old", retired=True), scope("odd", HOSTILE)]
        self.session = Session(rows, {"confocal": _confocal(), "wide": _wide()})
        held = {"name": "Confocal 1", "retired": False, "instrument": {"uid": "confocal"}}
        others = {"name": "Any", "retired": False, "instrument": None}
        self.masks = SimpleNamespace(
            all=lambda: [SimpleNamespace(record=one) for one in (held, others)]
        )

    @property
    def instruments(self) -> Register:
        return Register(self.session)  # type: ignore[arg-type]

    def whoami(self) -> Any:
        return SimpleNamespace(name="staff", staff=self.staff)

    def refuse(self, why: str) -> None:
        self.session.trouble = Refused(why)


def _confocal() -> list[dict[str, Any]]:
    fwhm = {"unit": "nm", "place": "63x", "high": 260.0, "every": 120}
    power = {"unit": "mW", "place": "488 nm", "low": 2.4}
    return [
        *(
            number("Lateral FWHM", v, 10 + 45 * n, **fwhm)
            for n, v in enumerate((271, 251, 240, 233, 231))
        ),
        *(
            number("Power", v, 10 + 45 * n, **power)
            for n, v in enumerate((2.5, 2.61, 2.45, 2.55, 2.6))
        ),
        number("Field uniformity", 0.91, 10, place="10x"),
    ]


def _wide() -> list[dict[str, Any]]:
    return [number("Power", 4.2, 200, unit="mW", low=3.0, every=120)]
