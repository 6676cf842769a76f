"""Sizes as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from cid_client import BadInput
from cid_client.sizes import LARGEST, nbytes


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ("2 TB", 2 * 10**12),
        ("2TB", 2 * 10**12),
        (" 1.5 tb ", 1_500_000_000_000),
        ("50 GB", 50 * 10**9),
        ("0.1 GB", 10**8),
        ("1 TiB", 2**40),
        ("3 kB", 3000),
        ("1 PB", 10**15),
        ("7 B", 7),
        (12, 12),
        (0, 0),
        (LARGEST - 1, LARGEST - 1),
    ],
)
def test_a_size_is_bytes(size: str | int, count: int) -> None:
    assert nbytes(size) == count


@pytest.mark.parametrize(
    "size",
    [
        *["2", "", "TB", "2 TBs", "-1 TB", "1e3 GB", "1,5 TB", "1 000 GB", "2 XB", "0.5 B"],
        *["2000 PB", "٢ TB", "2 Ti", "9" * 30 + " B", -1, LARGEST, 1.5, True, None],
    ],
)
def test_what_is_no_size_is_named(size: Any) -> None:
    with pytest.raises(BadInput, match=r"^room ") as refused:
        nbytes(size, "room")
    assert repr(size) in str(refused.value)
