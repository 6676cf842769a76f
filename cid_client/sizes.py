"""Sizes as people write them: "2 TB" is 2,000,000,000,000 bytes, "2 TiB" is a tenth more."""

from __future__ import annotations

import re
from decimal import Decimal

from .errors import BadInput

LARGEST = 2**60  # the catalog takes no more
POWERS = "BKMGTP"
_SIZE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?) ?(?:([KMGTP])(I?))?B")


def nbytes(size: str | int, what: str = "limit") -> int:
    """Return a size in bytes: a whole number of bytes, or a number and its unit.

    kB, MB, GB, TB and PB count in thousands, KiB to PiB in 1024s. Raises BadInput for anything
    else: a number alone in text, a fraction of a byte, or more than 1152 PB.
    """
    if isinstance(size, str):
        found = _SIZE.fullmatch(size.strip().upper())
        if found is None:
            raise BadInput(
                f"{what} {size!r}: write a number and its unit, such as '2 TB' or '50 GB'"
            )
        number, letter, binary = found.groups()
        count = Decimal(number) * (1024 if binary else 1000) ** POWERS.index(letter or "B")
    elif isinstance(size, int) and not isinstance(size, bool):
        count = Decimal(size)
    else:
        raise BadInput(f"{what} {size!r}: bytes as a whole number, or text such as '2 TB'")
    if count != int(count) or not 0 <= count < LARGEST:
        raise BadInput(f"{what} {size!r}: whole bytes, from 0 to less than 1152 PB")
    return int(count)
