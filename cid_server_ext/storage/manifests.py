"""A manifest has the digest of every file of a published image: one that changed is named.

`manifest.sha256` in the image's folder holds the sorted lines "path sha256"; its own sha256 is what
the catalog keeps of the image. Images of release 0.1 have none: the same digest is made from the
folder.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .roots import files_below, sha256

NAME = "manifest.sha256"
SEVERAL = 8 << 20  # bytes from which several threads hash
AT_ONCE = 4


def write(folder: Path) -> str:
    """Hash every file below a folder, write the manifest there and return the folder's digest."""
    text = lines(folder)
    (folder / NAME).write_text(text, encoding="utf-8")
    return digest(text)


def lines(folder: Path) -> str:
    """Return what the manifest of this folder would be, from its bytes now."""
    found = [(name, file) for name, file in files_below(folder) if name != NAME]
    files = [file for _, file in found]
    if sum(file.stat().st_size for file in files) < SEVERAL:
        made = list(map(sha256, files))
    else:
        with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
            made = list(pool.map(sha256, files))
    named = zip(found, made, strict=True)
    return "".join(sorted(f"{name} {digest}\n" for (name, _), digest in named))


def digest(text: str) -> str:
    """Return the digest of a manifest: that of the folder it describes."""
    return hashlib.sha256(text.encode()).hexdigest()


def promised(folder: Path, expected: str) -> dict[str, str] | None:
    """Return path -> sha256 as the manifest says; None when it is absent or another one."""
    try:
        raw = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(raw).hexdigest() != expected:
        return None
    pairs = (line.rpartition(" ") for line in raw.decode().splitlines())
    return {name: digest for name, _, digest in pairs}
