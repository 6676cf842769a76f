"""Rules: from a folder, a microscope and a file's name to where it goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PATTERNS = ("folder", "instrument", "file", "path")
TARGETS = ("project", "team", "dataset", "mask")
PLACE = re.compile(r"\{(\w+)\}")
# what the signs of a path such as "{user}/{project}/**" stand for; "{name:**}" spans folders
GLOB = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
SIGN = re.compile(r"\{(\w+)(:\*\*)?\}|\*\*/|\*\*|\*|\?")


@dataclass(frozen=True, slots=True)
class Goal:
    """Where something goes: a project, which must be of this team if one is said, and its tags."""

    rule: str
    project: str
    team: str = ""
    dataset: str = ""
    instrument: str = ""
    mask: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> dict[str, Any]:
        """What is said of an upload when it begins: mask, microscope and tags, where known."""
        told = {"mask": self.mask, "instrument": self.instrument, "tags": dict(self.tags)}
        return {key: value for key, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns that must all match, whole; and templates for what their named groups become."""

    name: str
    patterns: Mapping[str, re.Pattern[str]]
    targets: Mapping[str, str]
    tags: Mapping[str, str]

    def goal(self, told: Mapping[str, str]) -> Goal | None:
        """Return where something goes, None when a pattern does not match."""
        groups = {"instrument": told["instrument"]}
        for what, pattern in self.patterns.items():
            match = pattern.fullmatch(told[what])
            if match is None:
                return None
            groups |= {key: value or "" for key, value in match.groupdict().items()}
        filled = {key: _filled(text, groups) for key, text in self.targets.items()}
        tags = {key: _filled(text, groups) for key, text in self.tags.items()}
        tags = {key: value for key, value in tags.items() if value}
        return Goal(self.name, instrument=told["instrument"], tags=tags, **filled)


def judge(
    rules: Sequence[Rule], folder: str, file: str, instrument: str
) -> tuple[Goal | None, str]:
    """Return where something goes, or None and why it goes nowhere.

    folder: of the file, below what is watched, with "/".
    """
    path = f"{folder}/{file}" if folder else file
    told = {"folder": folder, "file": file, "instrument": instrument, "path": path}
    for rule in rules:
        goal = rule.goal(told)
        if goal is None:
            continue
        if not goal.project:
            return None, f"rule {rule.name!r} matches and gives no project: its group is empty"
        if "team" in rule.targets and not goal.team:
            return None, f"rule {rule.name!r} matches and gives no team: its group is empty"
        return goal, ""
    return None, "no rule matches: add one, or move it to a folder that a rule knows"


def read_rule(told: Mapping[str, Any], at: int, say: Callable[[str, str], None]) -> Rule | None:
    """Return the rule of one table; what is wrong is said by field."""
    fine = True

    def wrong(key: str, why: str) -> None:
        nonlocal fine
        fine = False
        say(key, why)

    known = {"name", "tags", *PATTERNS, *TARGETS}
    for key in sorted(set(told) - known):
        wrong(key, f"is not known; known are {', '.join(sorted(known))}")
    patterns: dict[str, re.Pattern[str]] = {}
    for key in PATTERNS:
        text = told.get(key)
        if text is None:
            continue
        try:
            pattern = glob(text) if key == "path" else text
            patterns[key] = re.compile(pattern, re.IGNORECASE | re.DOTALL * (key == "path"))
        except (re.error, TypeError) as error:
            wrong(key, f"{text!r} is no pattern: {error}")
    if not patterns and fine:
        wrong("folder", "give a pattern for folder, file, path or instrument")
    groups = {"instrument"}.union(*(pattern.groupindex for pattern in patterns.values()))
    targets = {key: told[key] for key in TARGETS if key in told}
    tags = told.get("tags", {})
    if not isinstance(tags, dict):
        wrong("tags", 'write it as {"Cell type" = "{cell}"}')
        tags = {}
    if not told.get("project"):
        wrong("project", "say into which project")
    for key, text in [*targets.items(), *((f"tags.{key}", text) for key, text in tags.items())]:
        if not isinstance(text, str):
            wrong(key, "give a text in quotes")
            continue
        for name in PLACE.findall(text):
            if name not in groups and len(patterns) == len(set(PATTERNS) & set(told)):
                wrong(key, f"{{{name}}} is no named group of this rule's patterns")
    name = told.get("name", f"rule {at}")
    if not isinstance(name, str):
        wrong("name", "give a text in quotes")
    return Rule(name, patterns, targets, tags) if fine else None


def glob(text: str) -> str:
    """Return the pattern that "{user}/{project}/**" stands for."""
    found, end = "", 0
    for sign in SIGN.finditer(text):
        found += re.escape(text[end : sign.start()])
        name, deep = sign.groups()
        found += f"(?P<{name}>{'.+' if deep else '[^/]+'})" if name else GLOB[sign[0]]
        end = sign.end()
    return found + re.escape(text[end:])


def _filled(text: str, groups: Mapping[str, str]) -> str:
    """Return a template with its groups; nothing of what they say is read as a template."""
    return PLACE.sub(lambda found: groups[found[1]], text).strip()
