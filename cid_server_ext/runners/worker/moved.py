"""What a kernel leaves in its scratch folder for its worker: bytes it read, tiles it has done.

A notebook may write there what it likes: whatever is no number is none.
"""

from __future__ import annotations

from pathlib import Path

MOVED = ".moved"  # both are written by cid_client
TILES = ".tiles"
MOST = 2**59


def moved(scratch: Path) -> tuple[int, int]:
    """Return the bytes that were read, and on how many workers it ran."""
    read, workers = _numbers(scratch / MOVED)
    return read, max(1, min(workers, 10_000))


def tiles(scratch: Path) -> dict[str, int]:
    """Return how many tiles are done, of how many, as progress tells it; 0 of 0 without tiles."""
    tile, tiles = _numbers(scratch / TILES)
    return {"tile": tile, "tiles": tiles}


def _numbers(path: Path) -> tuple[int, int]:
    try:
        with path.open("rb") as opened:
            first, second = opened.read(64).split()[:2]
        return min(abs(int(first)), MOST), min(abs(int(second)), MOST)
    except (OSError, ValueError):
        return 0, 0
