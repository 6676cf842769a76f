"""A form of an image that others wrote and that stays where it is. For a limited child.

Its documents are looked at before, and each file of pixels after it was read: what is newer than
the registration, or a link, ends it before a byte of it is given out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...errors import BadInput, BytesChanged, NotFound
from .. import stores
from ..inplace import Place, Roots
from . import FORMS
from .describing import SIDECAR
from .picture import Picture, picture
from .pieces import Pieces
from .said import Said

DOCUMENTS = ("zarr.json", ".zattrs", ".zgroup", ".zarray")


class Other(Exception):
    """This file, by its path in the image, is not what was registered."""


def laid_out(roots: Roots, place: Place, form: str, said: Said) -> Pieces:
    """Return the bytes of an image in a form, which may be read; BadInput: why there are none."""
    try:
        store = roots.path(place.root, place.path)
        _look(roots, place, [*DOCUMENTS, SIDECAR])
        found = picture(store)
    except BadInput as error:
        if (store := roots.folder(place.root) / place.path).is_symlink() or not store.is_dir():
            raise Other("") from error
        raise
    for path in found.paths:
        _look(roots, place, [f"{path}/{name}" for name in DOCUMENTS])
    arrays = [stores.Array.of(store / path) for path in found.paths]

    def watch(level: int, box: Sequence[tuple[int, int]]) -> None:
        _look(roots, place, (f"{found.paths[level]}/{name}" for name in arrays[level].files(box)))

    watched: Picture = replace(found, watch=watch)
    return FORMS[form][2](watched, said)


def _look(roots: Roots, place: Place, names: Sequence[str] | Iterator[str]) -> None:
    """Raise Other for a file that is newer than it was registered, gone since, or a link."""
    for name in names:
        try:
            os.close(roots.read_place(place, name))
        except NotFound:
            if os.path.lexists(roots.folder(place.root) / place.path / name):
                raise Other(name) from None
        except BytesChanged:
            raise Other(name) from None
