"""A seeded facility as columns of numpy: images, their tags by zipf, projects, people.

Truth for the bench: what a query must find is computed from these columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SEED = 20261121
TEAMS, PROJECTS, PEOPLE, OF_PERSON = 50, 500, 250, 12
# key: how many values; together 20,000, each image has one of each, and a number
TERMS = {
    "Microscope": 40,
    "Objective": 20,
    "User": 250,
    "Cell type": 500,
    "Staining": 300,
    "Tissue type": 390,
    "Protein": 8000,
    "Molecule": 5500,
    "Strain": 5000,
}
NUMBER = "SNR"
SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "ru", "sa", "te", "vi", "xo"]


def word(number: int) -> str:
    """Return a word for a number, never the beginning of another's of the same length."""
    base, letters = len(SYLLABLES), []
    for _ in range(4):
        letters.append(SYLLABLES[number % base])
        number //= base
    return "".join(letters)


def called(number: int) -> str:
    """Return a word that stands in names only."""
    return f"n{word(number)}"


@dataclass(frozen=True)
class Made:
    """`project[i]` is where image i + 1 is; `value[t, i]` the id of its value of the t-th term."""

    project: np.ndarray
    dataset: np.ndarray
    value: np.ndarray
    number: np.ndarray
    name: np.ndarray  # of two words
    members: dict[str, list[int]]
    values: list[tuple[int, int, str]]  # id, term, text
    first: dict[str, int]  # the most frequent value of each term

    @property
    def images(self) -> int:
        return len(self.project)

    def mine(self, person: str) -> np.ndarray:
        """Return for each image whether the person reaches it."""
        reached = np.zeros(PROJECTS + 1, bool)
        reached[self.members[person]] = True
        return reached[self.project]

    def newest(self, mask: np.ndarray, number: int = 50) -> list[int]:
        """Return the ids of the newest images of a mask."""
        return [int(at) + 1 for at in np.flatnonzero(mask)[::-1][:number]]


def make(images: int) -> Made:
    """Return the same facility for the same number of images."""
    pick = np.random.default_rng(SEED)
    projects = pick.integers(1, PROJECTS + 1, images, dtype=np.int32)
    # datasets of a project are numbered one after the other: its root and three more
    datasets = (projects - 1) * 4 + pick.integers(1, 5, images, dtype=np.int32)
    values: list[tuple[int, int, str]] = []
    columns, first = [], {}
    for term, (key, number) in enumerate(TERMS.items(), 1):
        begin = len(values) + 1
        values += [(begin + at, term, f"{key.lower()} {word(begin + at)}") for at in range(number)]
        chance = 1 / np.arange(1, number + 1) ** 1.1
        drawn = pick.choice(number, images, p=chance / chance.sum())
        columns.append((drawn + begin).astype(np.int32))
        first[key] = begin
    people = [f"u{at:03}" for at in range(PEOPLE)]
    chosen = {
        person: sorted(int(p) for p in pick.choice(PROJECTS, OF_PERSON, replace=False) + 1)
        for person in people
    }
    names = pick.zipf(1.3, (2, images)).clip(max=30_000).astype(np.int32)
    numbers = pick.gamma(2.0, 5.0, images).round(2)
    return Made(projects, datasets, np.stack(columns), numbers, names, chosen, values, first)
