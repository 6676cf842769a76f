"""How far a run is: its cells, and of the one that runs its tiles."""

from __future__ import annotations

import pytest

from cid_server_ext.core.runs.runs import Told


@pytest.mark.parametrize(
    ("told", "fraction"),
    [
        (Told(), 0.0),
        (Told(3, 4), 0.75),
        (Told(9, 4), 1.0),
        (Told(1, 4, tile=32, tiles=64), 0.375),
        (Told(1, 4, tile=99, tiles=64), 0.5),
        (Told(4, 4, tile=1, tiles=2), 1.0),
        (Told(0, 0, tile=1, tiles=2), 0.0),
    ],
)
def test_tiles_count_within_their_cell(told: Told, fraction: float) -> None:
    assert told.fraction == fraction
