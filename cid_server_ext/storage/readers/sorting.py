"""Sorting a tree of foreign files: which belong together, and which no reader knows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .policy import Policy, Tree, head_of


@dataclass(frozen=True, slots=True)
class Group:
    """Files of one import. Paths are relative to the sorted folder, with "/".

    main: the file to open, or a folder, which then holds all below it.
    members: the further files that belong to it, sorted. reader: the name of its policy.
    """

    main: str
    members: tuple[str, ...]
    reader: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """Every file of a tree once: in a group, among the others, or refused with a reason."""

    groups: tuple[Group, ...] = ()
    others: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)


def sort(folder: Path, policies: Sequence[Policy]) -> Sorted:
    """Return the groups below a folder. Only names and first bytes are read, links never followed.

    The same tree always sorts the same way. A folder that is one acquisition is not looked into.
    """
    folders: dict[str, Policy] = {}
    refused: dict[str, str] = {}
    files = tuple(sorted(_walk(folder, policies, folders, refused)))
    tree = Tree(folder, files)
    groups = [Group(place, (), policy.name) for place, policy in folders.items()]
    free = set(files)
    for policy, mains in _mains(tree, policies).items():
        for main in mains:
            if main not in free:
                continue
            members = _members(policy, main, tree)
            if members is None:
                continue
            members = (members & free) - {main}
            free -= {main, *members}
            groups.append(Group(main, tuple(sorted(members)), policy.name))
    return Sorted(tuple(sorted(groups, key=lambda group: group.main)), tuple(sorted(free)), refused)


def _mains(tree: Tree, policies: Sequence[Policy]) -> dict[Policy, list[str]]:
    """Return the files that each reader knows, in the order in which readers are asked."""
    found: dict[Policy, list[str]] = {policy: [] for policy in policies}
    for file in tree.files:
        path = tree.path(file)
        try:
            head = head_of(path)
        except OSError:
            continue  # it is among the others: whoever takes it will say why it cannot be read
        for policy in policies:
            if policy.knows(path, head):
                found[policy].append(file)
                break
    return found


def _members(policy: Policy, main: str, tree: Tree) -> set[str] | None:
    try:
        return policy.members(main, tree)
    except Exception:  # it is alone then; opening it will say what is wrong
        return set()


def _walk(
    root: Path, policies: Sequence[Policy], folders: dict[str, Policy], refused: dict[str, str]
) -> Iterator[str]:
    """Yield the files; note the folders that are one acquisition, and what is no file."""
    waiting = [""]
    while waiting:
        place = waiting.pop()
        try:
            entries = list(os.scandir(root / place))
        except OSError as error:
            if not place:
                raise
            refused[place] = f"it cannot be read: {error.strerror}"
            continue
        for entry in entries:
            name = f"{place}/{entry.name}" if place else entry.name
            if entry.is_symlink():
                refused[name] = "it is a link, not a file: copy the file itself"
            elif entry.is_file():
                yield name
            elif not entry.is_dir():
                refused[name] = "it is neither a file nor a folder"
            elif policy := _reader_of(root / name, policies):
                folders[name] = policy
            else:
                waiting.append(name)


def _reader_of(folder: Path, policies: Sequence[Policy]) -> Policy | None:
    return next((policy for policy in policies if policy.knows(folder, b"")), None)
