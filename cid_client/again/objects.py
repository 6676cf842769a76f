"""Objects of two label images: matched, split, merged, lost and new.

By intersection over union, as in Caicedo et al. 2019 (10.1038/s41592-019-0612-7). An object is
split when two or more of the other image lie mainly inside it, merged when it is so the other way
round; what is neither is matched with the one it overlaps most, if that is enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadInput
from . import overlap as overlaps

OVERLAP = 0.5  # intersection over union from which two objects are one
INSIDE = 0.5  # of a piece's pixels lie in the whole
PIECE = 0.1  # of the whole's pixels a piece has at least: less is a speck of its own


@dataclass(frozen=True, slots=True)
class Objects:
    """What became of each object, by label.

    `matched`: (before, after, intersection over union); `split`: before -> its pieces after;
    `merged`: after -> what it was before; `lost`: only before; `new`: only after.
    """

    before: int
    after: int
    matched: list[tuple[int, int, float]] = field(default_factory=list)
    split: dict[int, list[int]] = field(default_factory=dict)
    merged: dict[int, list[int]] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    new: list[int] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether each object has one that covers exactly its pixels."""
        alike = len(self.matched) == self.before == self.after
        return alike and all(iou == 1.0 for _, _, iou in self.matched)

    @property
    def facts(self) -> dict[str, Any]:
        """The numbers of it."""
        overlap = [iou for _, _, iou in self.matched]
        mean = round(sum(overlap) / len(overlap), 4) if overlap else None
        return {
            "before": self.before,
            "after": self.after,
            "matched": len(self.matched),
            "split": len(self.split),
            "merged": len(self.merged),
            "lost": len(self.lost),
            "new": len(self.new),
            "mean overlap": mean,
        }

    def __str__(self) -> str:
        told = [f"{n} {word}" for word, n in self.facts.items() if n is not None]
        return ", ".join(told)


def compare(before: Any, after: Any, overlap: float = OVERLAP) -> Objects:
    """Compare two label arrays of one shape, numpy or dask: whole numbers, 0 is ground.

    Memory holds a block of each, and a row for each pair of objects that touch.
    """
    for array in (before, after):
        if array.dtype.kind not in "uib":
            raise BadInput(f"labels are whole numbers, this is {array.dtype}")
    one, two, many = overlaps.counts(before, after)
    common: dict[tuple[int, int], int] = {}
    size: list[dict[int, int]] = [defaultdict(int), defaultdict(int)]
    for a, b, pixels in zip(one.tolist(), two.tolist(), many.tolist(), strict=True):
        size[0][a] += pixels
        size[1][b] += pixels
        if a and b:
            common[a, b] = pixels
    for known in size:
        known.pop(0, None)
    return _judged(common, size[0], size[1], overlap)


def _judged(
    common: Mapping[tuple[int, int], int],
    before: Mapping[int, int],
    after: Mapping[int, int],
    overlap: float,
) -> Objects:
    split = _broken(common, before, after, set())
    gone = {piece for pieces in split.values() for piece in pieces}
    turned = {(b, a): n for (a, b), n in common.items() if a not in split and b not in gone}
    merged = _broken(turned, after, before, gone)
    left = {*split, *(part for parts in merged.values() for part in parts)}
    taken = gone | merged.keys()
    matched = _matched(common, before, after, overlap, (left, taken))
    left |= {a for a, _, _ in matched}
    taken |= {b for _, b, _ in matched}
    return Objects(
        len(before),
        len(after),
        matched,
        split,
        merged,
        sorted(before.keys() - left),
        sorted(after.keys() - taken),
    )


def _broken(
    common: Mapping[tuple[int, int], int],
    wholes: Mapping[int, int],
    pieces: Mapping[int, int],
    gone: set[int],
) -> dict[int, list[int]]:
    """Return the wholes in which two or more pieces lie mainly, with these."""
    inside: dict[int, list[int]] = defaultdict(list)
    for (whole, piece), pixels in common.items():
        mainly = pixels > INSIDE * pieces[piece] and pixels >= PIECE * wholes[whole]
        if mainly and whole not in gone:
            inside[whole].append(piece)
    return {whole: sorted(found) for whole, found in sorted(inside.items()) if len(found) > 1}


def _matched(
    common: Mapping[tuple[int, int], int],
    before: Mapping[int, int],
    after: Mapping[int, int],
    overlap: float,
    gone: tuple[set[int], set[int]],
) -> list[tuple[int, int, float]]:
    """Return pairs, the most alike first; each object is in one."""
    alike = [
        (pixels / (before[a] + after[b] - pixels), a, b)
        for (a, b), pixels in common.items()
        if a not in gone[0] and b not in gone[1]
    ]
    left, right = set(gone[0]), set(gone[1])
    found = []
    for iou, a, b in sorted(alike, key=lambda one: (-one[0], one[1], one[2])):
        if iou >= overlap and a not in left and b not in right:
            found.append((a, b, iou))
            left.add(a)
            right.add(b)
    return sorted(found)
