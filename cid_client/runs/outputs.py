"""What a run's notebook makes, collected in its scratch folder for the commit at its end."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput, Conflict
from ..records.images import Image
from . import roles

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.figure import Figure
    from PIL.Image import Image as Picture

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,98}[A-Za-z0-9_-])?")
FIGURE_DPI = 150
PICTURES = (".png", ".jpg", ".jpeg", ".svg", ".pdf")


class Outputs:
    """Labels, images, tables, figures, files and metrics of one run.

    Each call writes one output below `folder` and then the manifest that lists it, so what the
    manifest names is whole, whenever the kernel dies. A name is used once, or again in a rehearsal.
    """

    def __init__(self, folder: Path, inputs: Mapping[str, Image], *, again: bool = False) -> None:
        self.folder = folder
        self.metrics: dict[str, Any] = {}
        self._inputs = inputs
        self._again = again
        self._listed: dict[str, dict[str, Any]] = {}  # by path, in lower case
        self._lock = threading.Lock()

    def labels(
        self, name: str, array: Any, *, source: Image | None = None, axes: str | None = None
    ) -> Path:
        """Write a label image: whole numbers, 0 for background, aligned with `source`.

        `array` is numpy, dask or xarray. Its axes are its xarray dims, `axes`, or those of the
        source that have its shape (the spatial ones first). The source's calibration is carried
        along axes that still have its length. Raises BadInput and Conflict.
        """
        return self._pixels("labels", name, array, source, axes, None)

    def image(
        self,
        name: str,
        array: Any,
        *,
        source: Image | None = None,
        axes: str | None = None,
        channels: Sequence[str] | None = None,
    ) -> Path:
        """Write an image of any numeric type; axes and calibration as for `labels`.

        `channels` names the channels along c; without it they are the array's or the source's.
        """
        return self._pixels("image", name, array, source, axes, channels)

    def table(
        self,
        name: str,
        rows: pd.DataFrame | pa.Table | Mapping[str, Sequence[Any]],
        *,
        source: Image | None = None,
    ) -> Path:
        """Write a DataFrame, a table of pyarrow, or a dict of columns, as Parquet."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as parquet

        if isinstance(rows, pa.Table):
            path = self._claim(name, ".parquet")
            parquet.write_table(rows, path)
        else:
            frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(dict(rows))
            path = self._claim(name, ".parquet")
            frame.to_parquet(path)
        return self._list("table", name, path, self._source(source))

    def figure(
        self,
        name: str,
        figure: Figure | Picture | str | os.PathLike[str],
        *,
        source: Image | None = None,
    ) -> Path:
        """Write a figure of matplotlib or a picture of Pillow as PNG; of a path, keep the file."""
        if isinstance(figure, str | os.PathLike):
            origin = Path(figure)
            if not origin.is_file() or origin.suffix.lower() not in PICTURES:
                known = ", ".join(PICTURES)
                raise BadInput(f"figure {name!r}: {origin} is no picture that is there ({known})")
            path = self._claim(name, origin.suffix.lower())
            shutil.copyfile(origin, path)
        elif hasattr(figure, "savefig"):
            path = self._claim(name, ".png")
            figure.savefig(path, format="png", dpi=FIGURE_DPI, bbox_inches="tight")
        elif hasattr(figure, "save"):
            path = self._claim(name, ".png")
            figure.save(path, format="PNG")
        else:
            what = type(figure).__name__
            raise BadInput(f"figure {name!r} is of matplotlib, of Pillow, or a path; not {what}")
        return self._list("figure", name, path, self._source(source))

    def file(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        source: Image | None = None,
    ) -> Path:
        """Keep a copy of any file; it is called as it was, or `name`."""
        origin = Path(path)
        if not origin.is_file():
            raise BadInput(f"{origin} is no file")
        called = name or origin.name
        target = self._claim(called, "")
        if origin.resolve() != target.resolve():
            shutil.copyfile(origin, target)
        return self._list("file", called, target, self._source(source))

    def metric(self, name: str, value: bool | int | float | str) -> None:
        """Record one number, text or truth value of this run."""
        _checked(name)
        plain = value.item() if hasattr(value, "item") else value
        if not isinstance(plain, bool | int | float | str):
            raise BadInput(f"metric {name!r} is a number, text or bool; not {type(value).__name__}")
        if isinstance(plain, float) and not abs(plain) < float("inf"):
            raise BadInput(f"metric {name!r} is {plain}: record a finite number, or text")
        if name in self.metrics and not self._again:
            raise Conflict(f"metric {name!r} is recorded already")
        with self._lock:
            self.metrics[name] = plain
            self._write_manifest()

    @property
    def manifest(self) -> dict[str, Any]:
        """What there is so far: `{"outputs": [{kind, name, path, source}], "metrics": {...}}`."""
        return {"outputs": list(self._listed.values()), "metrics": dict(self.metrics)}

    def _pixels(
        self,
        kind: str,
        name: str,
        array: Any,
        source: Image | None,
        axes: str | None,
        channels: Sequence[str] | None,
    ) -> Path:
        from ..pixels import frames, omezarr

        made_from = source or self._only_input()
        if not hasattr(array, "ndim") or not hasattr(array, "dtype"):
            raise BadInput(f"{kind} {name!r} takes an array, not {type(array).__name__}")
        if kind == "image" and array.dtype.kind not in "iuf":
            raise BadInput(f"image {name!r} is {array.dtype}: write numbers, .astype('uint8')")
        frame = frames.frame_of(array, made_from, name, axes, channels)
        path = self._claim(name, ".ome.zarr")
        omezarr.write(path, array, frame, name=name, labels=kind == "labels")
        return self._list(kind, name, path, self._source(source))

    def _claim(self, name: str, suffix: str) -> Path:
        """Return where an output of this name goes, or raise BadInput or Conflict."""
        path = self.folder / f"{_checked(name)}{suffix}"
        taken = path.name.lower() in self._listed or path.name.lower() == "manifest.json"
        if taken and not (self._again and path.name.lower() in self._listed):
            raise Conflict(f"an output {path.name!r} is there already: choose another name")
        self.folder.mkdir(parents=True, exist_ok=True)
        return path

    def _list(self, kind: str, name: str, path: Path, source: str | None) -> Path:
        listed = {"kind": kind, "name": name, "path": path.name, "source": source}
        with self._lock:
            self._listed[path.name.lower()] = listed
            self._write_manifest()
        return path

    def _write_manifest(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / ".manifest.json.part"
        part.write_text(json.dumps(self.manifest, indent=1))
        part.replace(self.folder / "manifest.json")

    def _source(self, given: Image | None) -> str | None:
        image = given or self._only_input()
        return None if image is None else image.uid

    def _only_input(self) -> Image | None:
        return roles.main(self._inputs)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BadInput(f"name {name!r}: use letters, digits, space, dash, underscore and dot")
    return name
