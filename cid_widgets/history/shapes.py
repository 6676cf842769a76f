"""Entries of the journal as the view wants them; see `js/history/shapes.ts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..lib.catalog import Record
from ..lib.shapes import Shape, only
from . import sentences

PICTURES = 5  # of one entry

Read = Mapping[int, Record]  # entries by number


def step(told: Mapping[str, Any], things: Mapping[str, Shape], read: Read) -> Shape:
    """Return an entry with its sentence; `read` are the others that are known."""
    uids = subjects(told)
    shown = [things[uid] for uid in uids if uid in things and things[uid]["pictured"]]
    undo = read.get(told["undone_by"] or 0)
    undone = only(undo.record, "person", "at") if undo is not None else None
    if undone is None and told["undone_by"] is not None:
        undone = {"person": "", "at": ""}
    return {
        "entry": told["entry"],
        "at": told["at"],
        "person": told["person"],
        "project": told.get("project") or "",
        "words": words(told, things, read),
        "kind": sentences.kind(told),
        "images": [only(one, "uid", "name", "thumbnail") for one in shown],
        "more": max(len(told["detail"].get("images") or ()) - PICTURES, 0),
        "undoable": bool(told["undoable"]) and undone is None,
        "undone": undone,
    }


def words(told: Mapping[str, Any], things: Mapping[str, Shape], read: Read) -> list[str]:
    """Return the sentence of an entry in parts; that of an undo says what it took back."""
    thing = things.get(single(told))
    said = sentences.sentence(told, thing["name"] if thing else "")
    taken_back = read.get(told["undoes"] or 0)
    if taken_back is None:
        return said
    first, *rest = words(taken_back.record, things, read)
    return [f"took back: {taken_back.record['person']} {first}", *rest]


def subjects(told: Mapping[str, Any]) -> list[str]:
    """Return the uids of the images and files that an entry names."""
    if uid := single(told):
        return [uid]
    return list(told["detail"].get("images") or ()) if told["action"] == "commit deposit" else []


def single(told: Mapping[str, Any]) -> str:
    """Return the uid of the one image or file that an entry is about, or ""."""
    about, _, uid = str(told["subject"]).partition(":")
    return uid if about in ("image", "file") else ""


def thing(of: Record) -> Shape:
    """Return an image or file with its name, and its picture where it has one."""
    told = of.record
    return {
        "uid": told["uid"],
        "name": told["name"],
        "thumbnail": told.get("thumbnail") or "",
        "pictured": told["kind"] in ("image", "labels"),
    }


def changes(error: Exception) -> list[Shape]:
    """Return what stands in the way of an undo, newest first: who did what, in which entry."""
    return [
        {
            "person": one.person,
            "action": one.action,
            "at": one.at,
            "entry": one.detail.get("entry"),
        }
        for one in getattr(error, "changed", None) or ()
    ]


def subject(of: Any) -> str:
    """Return how the journal calls a record of the client; a text is taken as it is."""
    return "" if of is None else of if isinstance(of, str) else str(of.subject)


def called(of: Any) -> str:
    """Return the name of a project, image or file, the path of a dataset; a text as it is."""
    if of is None or isinstance(of, str):
        return of or ""
    return str(of.record.get("name") or of.record.get("path") or "")
