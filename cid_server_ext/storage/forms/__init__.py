"""Forms that an image is given out in, whose bytes are computed while they are read.

How many they are, and which lie where, is known from metadata alone: nothing is made beforehand and
nothing is kept. A form's name carries a version, which changes when its bytes do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...errors import BadInput
from .imagej import as_imagej
from .ometiff import as_ome_tiff
from .picture import Picture, picture
from .pieces import Pieces
from .said import Said as Said

log = logging.getLogger(__name__)

Make = Callable[[Picture, Said], Pieces]
FORMS: dict[str, tuple[int, str, Make]] = {  # name -> version, suffix, how
    "ome-tiff": (1, ".ome.tif", as_ome_tiff),
    "imagej": (1, ".tif", as_imagej),
}
REMEMBERED = 16  # files whose layout is


def version(form: str) -> int:
    """Return the version of a form; 0 for one that is none."""
    return FORMS[form][0] if form in FORMS else 0


@lru_cache(REMEMBERED)
def made(store: Path, form: str, said: Said) -> Pieces:
    """Return the bytes of a stored image in a form; BadInput: why it cannot be in this one."""
    return FORMS[form][2](picture(store), said)


@dataclass(frozen=True, slots=True)
class Computed:
    """An image in a form, as a file whose length is known already."""

    store: Path
    form: str
    said: Said
    nbytes: int

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give these bytes; fewer when the image is not what it was."""
        try:
            file = made(self.store, self.form, self.said)
            if file.nbytes == self.nbytes:
                yield from file.read(start, stop)
        except (OSError, ValueError, BadInput) as error:
            log.warning("%s cannot be given out as %s: %s", self.store, self.form, error)
