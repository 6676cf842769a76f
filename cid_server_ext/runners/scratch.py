"""What a notebook left in its scratch folder: the outputs it lists, and the files of each."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIECE = 1 << 20
MANIFEST = "manifest.json"  # written by cid_client's outputs


class BadOutput(Exception):
    """The outputs folder does not hold what the notebook says it made."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file to deliver: where it lies here and its path in the deposit."""

    file: Path
    path: str
    nbytes: int

    @property
    def digest(self) -> str:
        """Its Content-Digest (RFC 9530)."""
        return f"sha-256=:{base64.b64encode(bytes.fromhex(self.sha256)).decode()}:"

    @property
    def sha256(self) -> str:
        """The digest of its bytes as they are now."""
        sha256 = hashlib.sha256()
        for piece in self.pieces():
            sha256.update(piece)
        return sha256.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes."""
        with self.file.open("rb") as opened:
            while piece := opened.read(PIECE):
                yield piece


def listed(outputs: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the outputs that the notebook lists, and its metrics. Raises BadOutput."""
    told = outputs / MANIFEST
    if not outputs.is_dir():
        raise BadOutput("the notebook removed its outputs folder, and with it all that it made")
    if not told.exists():
        return [], {}
    try:
        manifest = json.loads(told.read_text("utf-8"))
        return [dict(output) for output in manifest["outputs"]], dict(manifest["metrics"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadOutput(f"outputs/{MANIFEST} was changed by hand: {error}") from None


def parts_of(folder: Path, path: str) -> list[Part]:
    """Return the files an output is made of. A link, or a path outside, raises BadOutput."""
    top = folder / path
    if not top.resolve().is_relative_to(folder.resolve()) or not top.exists():
        raise BadOutput(f"output {path!r} is not in the outputs folder")
    files = sorted(_below(top)) if top.is_dir() and not top.is_symlink() else [top]
    if any(file.is_symlink() for file in files):
        raise BadOutput(f"output {path!r} holds a link: deliver the file itself")
    return [Part(file, file.relative_to(folder).as_posix(), file.stat().st_size) for file in files]


def _below(folder: Path) -> Iterator[Path]:
    for here, _, names in os.walk(folder):
        yield from (Path(here, name) for name in names)
