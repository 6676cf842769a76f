"""Taking images out: what one archive of the selected ones would be, in each form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.view import View, line

FORMS = ("originals", "ome-tiff", "imagej", "ome-zarr")
TOLD = 20  # of what is left out


class Downloading(View):
    """A view that offers its images as one ZIP. `download_as` is the form that is chosen.

    `archives` has what each form would bring, {path, name, nbytes, files, left, left_out}, or
    {error}; it is filled when a view asks, and emptied when other images are selected. In Python
    `catalog.download(browser.images, as_="ome-tiff")` brings them.
    """

    download_as = t.Enum(FORMS, default_value="originals").tag(sync=True)
    archives: Any = t.Dict().tag(sync=True)

    images: Any

    def answer_archives(self, _: Mapping[str, Any]) -> None:
        """Tell what each form would bring; what is known already is asked again."""
        self.archives = {}
        images = self.images
        for form in FORMS:
            self.archives = {**self.archives, form: self._archive(images, form)}

    @t.observe("selected", "found_all")
    def _others(self, _: object = None) -> None:
        self.archives = {}

    def _archive(self, images: Any, form: str) -> dict[str, Any]:
        try:
            told = self.catalog.archive(images, form)
        except Exception as error:
            self.log.debug("no archive as %s", form, exc_info=True)
            return {"error": line(error)}
        left = [{"name": one.name or one.uid, "why": one.why} for one in told.left_out[:TOLD]]
        return {
            "path": told.path,
            "name": told.name,
            "nbytes": told.nbytes,
            "files": told.files,
            "left": told.left,
            "left_out": left,
        }
