"""A catalog in memory that answers what a widget asks, and pictures for it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
import pretend_batch
import pretend_search
from PIL import Image as Picture
from PIL import ImageFilter

GB = 10**9
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"> nuclei"

SEGMENT = {
    "name": "segment-cells",
    "version": "1.0.0",
    "title": "Segment cells",
    "summary": "Smooths, thresholds and splits touching cells by a distance watershed.",
    "parameters": {
        "sigma": {
            "type": "number",
            "default": 1.0,
            "minimum": 0.0,
            "maximum": 20.0,
            "unit": "pixel",
            "help": "Smoothing before the threshold.",
        },
        "min_size": {
            "type": "integer",
            "default": 30,
            "minimum": 1,
            "maximum": None,
            "unit": "pixel",
            "help": "Smaller objects are dropped.",
        },
        "method": {
            "type": "choice",
            "default": "otsu",
            "choices": ["otsu", "local"],
            "help": "How the threshold is found.",
        },
        "split": {"type": "boolean", "default": True, "help": "Split touching cells."},
        "note": {"type": "text", "default": None, "help": "Kept with the results."},
    },
}


class Refused(Exception):
    """An error as the client raises it."""

    status = 403


def image(uid: str, name: str, **more: Any) -> dict[str, Any]:
    """An Image of the wire."""
    return {
        "uid": uid,
        "name": name,
        "kind": "image",
        "project": "demo",
        "dataset": "screen/plate 1",
        "axes": "tczyx",
        "shape": [1, 3, 12, 2048, 2048],
        "dtype": "uint16",
        "levels": 4,
        "scale": {"z": 0.5, "y": 0.1, "x": 0.1},
        "units": {"z": "micrometer", "y": "micrometer", "x": "micrometer"},
        "channels": [
            {"name": "DAPI", "color": "2060FF"},
            {"name": "GFP", "color": "00D040"},
            {"name": "Phalloidin", "color": "E03030"},
        ],
        "nbytes": 302_000_000,
        "sha256": SHA,
        "tags": [],
        "source": None,
        "run": None,
        "created_by": "researcher",
        "created_at": "2026-11-21T01:00:00Z",
        "original": {
            "uid": "f-" + uid,
            "name": f"{name}.tif",
            "nbytes": 301_000_000,
            "sha256": SHA,
        },
    } | more


def run(uid: str, of: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A Run of the wire."""
    return {
        "uid": uid,
        "batch": "b1",
        "template": {"name": "segment-cells", "version": "1.0.0", "digest": SHA},
        "project": "demo",
        "dataset": "screen/segment-cells",
        "state": "queued",
        "progress": {"cell": 0, "cells": 9, "fraction": 0.0, "text": ""},
        "inputs": [{"uid": of["uid"], "name": of["name"], "role": "image"}],
        "outputs": {"images": [], "files": []},
        "notebook": None,
        "metrics": {},
        "error": None,
        "created_at": "2026-11-21T01:00:00Z",
        "started_at": None,
        "ended_at": None,
    } | more


@dataclass
class Catalog(pretend_batch.Ordered):
    """Answers like `cid_client.Catalog`; `asked` keeps what it was asked."""

    records: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)  # projects
    told: list[dict[str, Any]] = field(default_factory=list)  # runs
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    tickets: Any = field(default_factory=lambda: count(1))
    trouble: Exception | None = None
    offers: dict[str, int | None] = field(default_factory=dict)  # keys that may be typed
    values: dict[str, dict[str, int | None]] = field(default_factory=dict)  # and their values
    lights_of: dict[str, Any] = field(default_factory=dict)  # of pre-flight, by name of image
    in_the_way: list[dict[str, str]] = field(default_factory=list)  # of pre-flight, for all

    def _ask(self, *question: Any) -> None:
        self.asked.append(question)
        if self.trouble is not None:
            raise self.trouble

    def _image(self, record: dict[str, Any]) -> SimpleNamespace:
        parents = [one for one in self.records if one["uid"] == record["source"]]
        children = [one for one in self.records if one["source"] == record["uid"]]
        steps = [
            SimpleNamespace(
                run=f"run of {one['uid']}",
                template="segment-cells",
                version="1.0.0",
                state="done",
                person="researcher",
                inputs=(one["source"],),
                outputs=(one["uid"],),
            )
            for one in (record, *children)
            if one["source"]
        ]
        kin = SimpleNamespace(parents=_all(parents), children=_all(children), runs=steps)
        fresh = record | {"thumbnail": f"/data/{next(self.tickets)}/{record['uid']}.png"}

        def rename(name: str) -> None:
            self._ask("rename", record["uid"], name)
            record["name"] = fresh["name"] = name

        return SimpleNamespace(record=fresh, lineage=lambda: kin, rename=rename)

    def projects(self) -> Sequence[Any]:
        self._ask("projects")
        return _all(self.held)

    def project(self, name: str) -> Any:
        self._ask("project", name)
        record = next(one for one in self.held if one["name"] == name)

        def make_dataset(path: str, query: str | None = None) -> None:
            self._ask("make_dataset", name, path, query)
            if any(one["path"] == path for one in record["datasets"]):
                raise Refused(f"there is a dataset {path!r} already that is not the same")
            record["datasets"].append({"uid": path, "path": path, "query": query})

        def dataset(path: str) -> Any:
            found = next(one for one in record["datasets"] if one["path"] == path)
            return SimpleNamespace(change=lambda query: found.update(query=query))

        return SimpleNamespace(record=record, make_dataset=make_dataset, dataset=dataset)

    def search(
        self, query: str = "", *, project: Any, dataset: Any, kind: Any, sort: Any = None
    ) -> pretend_search.Found:
        self._ask("search", query, project, dataset, kind, sort)
        live = {
            one["path"]: one["query"]
            for held in self.held
            for one in held["datasets"]
            if held["name"] == project and one.get("query") is not None
        }
        asked = f"{query} {live[dataset]}" if dataset in live else query
        inside = None if dataset in live else dataset
        there = [
            one
            for one in pretend_search.ordered(self.records, sort)
            if project in (None, one["project"])
            and inside in (None, one["dataset"])
            and kind in (None, one["kind"])
        ]
        return pretend_search.Found(there, asked, self._image)

    def complete(self, text: str) -> list[Any]:
        self._ask("complete", text)
        key, colon, typed = text.rpartition(" ")[2].partition(":")
        offers = self.offers if not colon else self.values.get(key, {})
        start = len(text) - len(typed if colon else key)
        return [
            SimpleNamespace(text=offer, label=offer.strip(':"'), start=start, count=count)
            for offer, count in offers.items()
            if offer.strip('"').lower().startswith((typed if colon else key).lower())
        ]

    def top(self, limit: int) -> list[Any]:
        self._ask("top", limit)
        return [SimpleNamespace(key="Cell type", value="HeLa", count=9)][:limit]

    def image(self, uid: str) -> Any:
        self._ask("image", uid)
        return next(self._image(one) for one in self.records if one["uid"] == uid)

    def file(self, uid: str) -> Any:
        self._ask("file", uid)
        return SimpleNamespace(
            record={"uid": uid, "name": "executed.ipynb", "url": f"/data/1/{uid}"}
        )

    def templates(self) -> Sequence[Any]:
        self._ask("templates")
        other = {"name": "project-z", "version": "2.1.0", "title": "Project along z", "summary": ""}
        return _all([SEGMENT, other])

    def preflight(self, template: str, images: list[Any], /, **parameters: Any) -> Any:
        self._ask("preflight", template, parameters)
        seen = [
            {"uid": one.record["uid"], "name": one.record["name"], "light": "green", "notes": []}
            | self.lights_of.get(one.record["name"], {})
            for one in images
        ]
        lights = [one["light"] for one in seen]
        told = {
            "counts": {light: lights.count(light) for light in ("red", "amber", "green")},
            "images": seen,
            "notes": self.in_the_way,
            "nbytes": 5_500_000 * (len(seen) - lights.count("red")),
            "channels": ["DAPI", "GFP"],
            "estimate": {"says": "about 12 min (8 to 20), 1.2 GB, 3.40 EUR", "history": 57},
        }
        fit = [one["uid"] for one in seen if one["light"] != "red"]
        return SimpleNamespace(record=told, fit=fit)

    def run(self, template: str, images: list[Any], /, **parameters: Any) -> Any:
        uids = [one if isinstance(one, str) else one.record["uid"] for one in images]
        self._ask("run", template, uids, parameters)
        batch = f"b{len(self.told) + 1}"
        of = [self.image(uid).record for uid in uids]
        made = [run(f"r{batch}-{i}", one, batch=batch) for i, one in enumerate(of)]
        self.told += made
        return self.runs(batch=batch, limit=200)

    def runs(self, *, batch: str | None, limit: int, state: str | None = None) -> Sequence[Any]:
        self._ask("runs", batch)
        of = [one for one in self.told if batch in (None, one["batch"])]
        return [self._run(one) for one in of if state in (None, one["state"])][:limit]

    def batch(self, uid: str) -> Any:
        of = [one for one in self.told if one["batch"] == uid]

        def steer(how: str) -> None:
            self._ask(how, uid)
            now = {"cancel": ("queued", "running"), "retry": ("failed",)}.get(how, ())
            for one in of:
                one["paused"] = how == "pause" and one["state"] == "queued"
                if one["state"] in now:
                    one["state"] = "cancelled" if how == "cancel" else "queued"

        ways = {how: partial(steer, how) for how in ("cancel", "pause", "resume", "retry")}
        return SimpleNamespace(record=pretend_batch.counted(uid, of), **ways)

    def _run(self, record: dict[str, Any]) -> Any:
        def steer(how: str) -> None:
            self._ask(how, record["uid"])
            record["state"] = "cancelled" if how == "cancel" else "queued"

        ways = {how: partial(steer, how) for how in ("cancel", "pause", "resume", "retry")}
        return SimpleNamespace(record=dict(record), **ways)

    def preview_table(
        self, template: str, csv: str, /, project: str | None = None, **parameters: Any
    ) -> Any:
        self._ask("preview_table", template, csv, project, parameters)
        rows = csv.splitlines()[1:]
        bad = [n for n, row in enumerate(rows, 2) if "wide" in row]
        wrong = [SimpleNamespace(row=n, column="sigma", message="a number") for n in bad]
        return SimpleNamespace(rows=len(rows), ready=len(rows) - len(bad), wrong=wrong)

    def run_table(
        self, template: str, csv: str, /, project: str | None = None, **parameters: Any
    ) -> Any:
        self._ask("run_table", template, csv, project, parameters)
        names = [row.split(",")[0] for row in csv.splitlines()[1:]]
        of = [one for one in self.records if one["name"] in names]
        self.told += [run(f"t-{i}", one, batch="table") for i, one in enumerate(of)]
        return self.runs(batch="table", limit=200)


def _all(records: Sequence[dict[str, Any]]) -> list[Any]:
    return [SimpleNamespace(record=one) for one in records]


def filled(images: int = 12) -> Catalog:
    """A small facility: two projects, a plate, labels made from one image."""
    tags = [
        ("Microscope", "Spinning disk 2", "machine", "file", ""),
        ("Objective", "63x/1.4 oil", "machine", "file", ""),
        ("Exposure", "120", "machine", "instrument", "ms"),
        ("Cell type", "HeLa", "sample", "person", ""),
        ("Staining", "<b>DAPI</b>", "sample", "person", ""),
        ("Objects", "42", "processing", "run", ""),
    ]
    keys = ("key", "value", "kind", "source", "unit")
    first = image("i0", "nuclei A01", tags=[dict(zip(keys, tag, strict=True)) for tag in tags])
    plate = [image(f"i{i}", f"nuclei A{i + 1:02d}") for i in range(1, images)]
    labels = image(
        "l0",
        "nuclei A01 cells",
        kind="labels",
        dataset="screen/segment-cells",
        axes="zyx",
        shape=[12, 2048, 2048],
        dtype="uint32",
        channels=[],
        source="i0",
        run="4f9d2c1e-0000-4000-8000-000000000000",
        original=None,
    )
    photo = image("p0", "ihc", project="histology", dataset="", scale={}, units={}, channels=[])
    photo |= {"axes": "cyx", "shape": [3, 512, 512]}
    demo = {
        "name": "demo",
        "title": "Cytokinesis screen",
        "role": "contributor",
        "allocation": {"limit": 500 * GB, "used": 212 * GB, "reserved": 40 * GB},
        "datasets": [
            {"uid": "d1", "path": ""},
            {"uid": "d2", "path": "screen"},
            {"uid": "d3", "path": "screen/plate 10"},
            {"uid": "d4", "path": "screen/plate 1"},
            {"uid": "d5", "path": "screen/segment-cells"},
            {"uid": "d6", "path": "controls/beads"},
        ],
    }
    histology = {
        "name": "histology",
        "title": "",
        "role": "viewer",
        "allocation": {"limit": 10 * GB, "used": 10 * GB, "reserved": 0},
        "datasets": [],
    }
    return Catalog([first, labels, *plate, photo], [demo, histology])


def screen(images: int = 120) -> Catalog:
    """A small facility whose plate is tagged, and what one may type there."""
    made = filled(images)
    plate = [one for one in made.records if one["uid"].startswith("i")]
    for record, more in zip(plate, pretend_search.screen(images), strict=True):
        record |= more
    made.offers = {"cell_type:": None, "cell_line:": None, "staining:": None, "snr:": None}
    made.values = {"cell_type": {'"HeLa"': 3, '"HeLa S3"': 2, '"A549"': 1, '"primary neurons"': 1}}
    made.held[0]["datasets"].append({"uid": "d7", "path": "bright", "query": "snr>=15"})
    return made


def picture(uid: str) -> bytes:
    """A PNG that looks like what the name says: nuclei, their labels, or a stained section."""
    rng = np.random.default_rng(abs(hash(uid.lstrip("il"))) % 2**32)
    y, x = np.mgrid[:160, :160]
    spots = [(rng.uniform(10, 150), rng.uniform(10, 150), rng.uniform(6, 13)) for _ in range(14)]
    near = np.stack([np.hypot(y - a, x - b) - r for a, b, r in spots])
    if uid.startswith("l"):
        colors = rng.integers(60, 255, (len(spots), 3))
        rgb = np.where((near.min(0) < 0)[..., None], colors[near.argmin(0)], 0)
    elif uid.startswith("p"):
        rgb = np.array([225, 205, 220]) - np.clip(-near.min(0), -2, 8)[..., None] * [9, 12, 4]
    else:
        blue = np.clip(1 - near.min(0) / 5, 0, 1) * 200
        rgb = np.stack([blue * 0.3, blue * 0.5, blue], -1) + rng.normal(12, 5, (160, 160, 1))
    made = Picture.fromarray(np.clip(rgb, 0, 255).astype("uint8"))
    file = io.BytesIO()
    made.filter(ImageFilter.GaussianBlur(0.7)).save(file, "PNG")
    return file.getvalue()
