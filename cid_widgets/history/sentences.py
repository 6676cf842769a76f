"""What an entry of the journal says, as a sentence for people. See `js/history/shapes.ts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

from ..lib.words import counted, size

Told = dict[str, Any]  # the detail of an entry, and what a sentence adds to it
Says = str | Callable[[Told], str]

KINDS = {  # what one may look for, and the actions of it
    "tags": (
        "tag", "untag", "annotate", "apply sheet", "apply settings",
        "write note", "edit note", "remove note",
    ),
    "places": (
        "rename", "move", "link", "unlink", "create dataset", "move dataset", "change query",
    ),
    "trash": ("trash", "restore", "purge"),
    "data": (
        "commit deposit", "give up deposit", "create image", "create file", "submit run",
        "ask to cancel", "pause runs", "resume runs", "retry runs", "set priority",
        "run done", "run failed", "run cancelled", "seal run", "refuse step", "retry step",
        "publish template", "withdraw template", "measure quality", "damage found",
        "adopt", "fixity",
        "subscribe", "change subscription", "pause subscription", "resume subscription",
        "end subscription", "hand over subscription", "leave out",
    ),
    "vocabulary": (
        "declare term", "change term", "rename term", "retire term", "merge terms",
        "declare value", "rename value", "merge values",
    ),
}  # fmt: skip
OTHERS = "people"  # members, limits, and what else concerns the project itself
# parts of a larger step, which is told itself
WITHIN = (
    "open deposit", "create image", "create file",
    "run starting", "run running", "run committing", "run queued", "follow run",
    "match", "match no more",
)  # fmt: skip
LONGEST = 120  # characters of a value that is shown


def sentence(entry: Mapping[str, Any], name: str = "") -> list[str]:
    """Return what was done, in parts: those at odd places are names and values.

    `name` is that of the image or file that it is about, "" where it cannot be seen now.
    """
    told: Told = {**entry["detail"], "name": name or _unnamed(entry)}
    said = SAYS.get(entry["action"])
    if said is None:
        told["action"], said = entry["action"], "{action}: {name}"
    parts = [""]
    for text, field, _, plain in Formatter().parse(said if isinstance(said, str) else said(told)):
        parts[-1] += text
        if field is not None:
            shown = _short(told.get(field))
            parts = [*parts[:-1], parts[-1] + shown] if plain else [*parts, shown, ""]
    return parts


def kind(entry: Mapping[str, Any]) -> str:
    """Return which of KINDS an entry is of, or OTHERS; an undo is of what it takes back."""
    action = entry["action"]
    if action == "undo":
        action = entry["detail"].get("action", "")
    return next((kind for kind, actions in KINDS.items() if action in actions), OTHERS)


def _unnamed(entry: Mapping[str, Any]) -> str:
    about, _, name = str(entry["subject"]).partition(":")
    if about in ("project", "team", "person"):
        return name
    if about == "instrument":
        called = entry["detail"].get("name") or "an instrument"
        return str(called["to"] if isinstance(called, Mapping) else called)
    return {"image": "an image", "file": "a file", "dataset": "a dataset"}.get(about, f"a {about}")


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(str(one) for one in value)
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _many(told: Told) -> str:
    """What was said of many, by key."""
    told["keys_said"] = ", ".join(told.get("keys") or ()) or "nothing"
    told["count"] = counted(told.get("records", 0), "record")
    return "{count}: {keys_said}"


def _annotated(told: Told) -> str:
    return f"tagged {_many(told)}"


def _sheet(told: Told) -> str:
    return f"applied a sheet to {_many(told)}"


def _moved(told: Told) -> str:
    to = "{to}" if told.get("to") else "the project itself"
    to = f"{to} of project {{project}}" if told.get("project") else to
    if told.get("records", 1) == 1:
        source = " from {from}" if any(told.get("from") or ()) else ""
        return f"moved {{name}}{source} to {to}"
    told["count"] = counted(told["records"], "record")
    return f"moved {{count}} to {to}"


def _linked(told: Told) -> str:
    return "showed {name} in {dataset} too" if told.get("dataset") else "showed {name} in {project}"


def _dataset_moved(told: Told) -> str:
    there = " of project {project}" if told.get("project") else ""
    same = str(told["from"]).rpartition("/")[0] == str(told["to"]).rpartition("/")[0]
    did = "renamed" if same and not there else "moved"
    return f"{did} dataset {{from}} to {{to}}{there}"


def _dataset_made(told: Told) -> str:
    return "made the live dataset {path}" if told.get("query") else "made dataset {path}"


def _thrown(told: Told) -> str:
    return f"threw {{what}} away ({counted(told['records'], 'record')}, {size(told['bytes'])})"


def _purged(told: Told) -> str:
    return f"removed {{what}} for good ({size(told['bytes'])} given back)"


def _came(told: Told) -> str:
    pieces = [(len(told.get("images") or ()), "image"), (len(told.get("files") or ()), "file")]
    if pieces[0][0]:  # an image brings the file that it was read from
        pieces[1] = (max(pieces[1][0] - pieces[0][0], 0), "file")
    said = [counted(count, what) for count, what in pieces if count]
    told["count"] = " and ".join(said) or "nothing"
    return f"added {{count}} ({size(told.get('bytes', 0))})"


def _put_member(told: Told) -> str:
    told["day"] = str(told.get("ends_at") or "")[:10]
    return "made {person} {role}" + (" until {day}" if told["day"] else "")


def _limit(told: Told) -> str:
    return f"set the limit to {size(told['limit'])}"


def _undone(told: Told) -> str:
    about = "" if told["name"].startswith(("a ", "an ")) else " of {name}"
    return "took back: {action}" + about


def _changed(told: Told) -> str:
    return "closed the project" if told.get("state") == "closed" else "changed the project"


def _failed(told: Told) -> str:
    error = told.get("error")
    told["why"] = error.get("message") if isinstance(error, Mapping) else error
    return "had a run fail: {why}" if told["why"] else "had a run fail"


def _subscription_changed(told: Told) -> str:
    if "existing" in told:
        return "let {template} on {search} run on what was there already"
    values: Mapping[str, Any] = told.get("parameters") or {}
    told["values"] = [f"{name} {value}" for name, value in values.items()]
    budget = any(limit in told for limit in ("runs", "runs_a_day", "nbytes"))
    what = ["the budget"] * budget + ["the values"] * bool(values)
    said = f"changed {' and '.join(what)} of {{template}} on {{search}}"
    return f"{said}: from then on {{values}}" if values else said


def _filled(told: Told) -> str:
    told["keys_said"] = ", ".join(told.get("keys") or ())
    return "filled {keys_said} of {name} from its settings"


def _made_of(told: Told) -> str:
    told["day"] = str(told.get("valid_from") or "")[:10]
    return "said what {name} is made of from {day} on"


def _measured_again(told: Told) -> str:
    told["images_said"] = counted(told.get("images") or 0, "image")
    return "measured the quality of {images_said} again"


def _adopted(told: Told) -> str:
    told["records_said"] = counted(told.get("records") or 0, "record")
    return "registered {records_said} where they lie, from {first}"


def _damaged(told: Told) -> str:
    faults = told.get("faults") or ()
    told["why"] = faults[0].get("reason") if faults else None
    return "found damage in {name}: {why}" if told["why"] else "found damage in {name}"


def _read(told: Told) -> str:
    return "looked into it as staff: {what}" if told.get("what") else "looked into it as staff"


SAYS: dict[str, Says] = {
    "rename": "renamed {from} to {to}",
    "move": _moved,
    "link": _linked,
    "unlink": "ended showing {name} in {dataset}",
    "create dataset": _dataset_made,
    "move dataset": _dataset_moved,
    "change query": "let a live dataset look for {to} instead of {from}",
    "trash": _thrown,
    "restore": "brought {what} back",
    "purge": _purged,
    "write note": "wrote a note about {name}: “{text!s}”",
    "edit note": "changed a note about {name}: “{text!s}”",
    "remove note": "took a note about {name} away: “{text!s}”",
    "tag": "tagged {name} with {key}: {value}",
    "untag": "took {key} ({value}) off {name}",
    "annotate": _annotated,
    "apply sheet": _sheet,
    "commit deposit": _came,
    "give up deposit": "gave up an upload of {of}",
    "create image": "added {name}",
    "create file": "added {name}",
    "submit run": "ran {template} {version}",
    "ask to cancel": "asked a run to stop",
    "pause runs": "let runs wait",
    "resume runs": "let runs go on",
    "retry runs": "tried again what failed",
    "set priority": "gave a batch the priority {priority}",
    "set run limits": "set how many runs may be under way",
    "set mail": "changed what comes by mail",
    "publish template": "published {template} {version}",
    "withdraw template": "withdrew {template} {version}: {reason!s}",
    "run done": "finished a run",
    "seal run": "sealed the record of a run",
    "refuse step": "could not begin what follows a run: {message!s}",
    "retry step": "tried again what follows a run",
    "run failed": _failed,
    "run cancelled": "had a run cancelled",
    "declare term": "declared the term {key}",
    "change term": "changed the term {key}",
    "rename term": "renamed the term {key}",
    "retire term": "retired the term {key}",
    "merge terms": "merged the term {from} into {into}",
    "declare value": "declared values of {key}: {values}",
    "rename value": "renamed {from} of {key} to {to}",
    "merge values": "merged {from} of {key} into {to}",
    "put member": _put_member,
    "remove member": "took {person} out of the project",
    "create project": "made the project",
    "approve request": "approved the project",
    "change project": _changed,
    "set limit": _limit,
    "credit": "gave a credit",
    "add instrument": "registered {name}",
    "change instrument": "changed {name} in the register",
    "retire instrument": "retired {name}",
    "add mask": "made the mask {name}",
    "save mask": "saved version {version} of the mask {name}",
    "retire mask": "retired the mask {name}",
    "use mask again": "let the mask {name} be used again",
    "update instrument": _made_of,
    "correct instrument": _made_of,
    "record control": "recorded quality control of {name}: {metrics}",
    "apply settings": _filled,
    "measure quality": _measured_again,
    "damage found": _damaged,
    "adopt": _adopted,
    "relocate": "followed old data from {from} to {to}",
    "fixity": "looked at {name} where it lies",
    "subscribe": "let {template} {version} run on what {search} newly finds",
    "change subscription": _subscription_changed,
    "pause subscription": "paused {template} on {search}: {reason!s}",
    "resume subscription": "let {template} on {search} go on",
    "end subscription": "ended {template} on {search}",
    "hand over subscription": "handed {template} on {search} over to {to}, from {person}",
    "leave out": "left an image out of {template} on {search}: {reason!s}",
    "hand over": "handed what {name} had over to {to}",
    "staff read": _read,
    "undo": _undone,
}
