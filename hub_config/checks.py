"""What must be true of a demo: of its results while it runs, and of the machine after it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil

from . import nuclei
from .ports import is_free
from .processes import wait_until
from .samples import NUCLEI
from .seed import Segmented, original
from .site import Site

TOLERANCE = 0.1  # of the true number of nuclei
CLOSE_SECONDS = 60.0


def of_results(results: list[Segmented]) -> Iterator[str]:
    """Yield what is wrong with images, runs, labels or provenance."""
    for done in results:
        name = done.image.name
        if done.run.state != "done":
            yield f"{name}: its run is {done.run.state}"
        if done.labels.source != done.image.uid:
            yield f"{name}: its labels do not name it as their source"
        if done.objects < 1:
            yield f"{name}: no object was found"
        notebook = done.run.result.notebook
        if notebook is None:
            yield f"{name}: its run keeps no executed notebook"
        elif hashlib.sha256(notebook.read()).hexdigest() != notebook.sha256:
            yield f"{name}: the executed notebook is not the one whose sha256 was recorded"
        if original(done.image) == NUCLEI:
            yield from of_nuclei(done)


def of_samples(results: list[Segmented]) -> Iterator[str]:
    """Yield what is missing of the demo's own images: three, in three formats."""
    formats = {original(done.image).partition(".")[2] for done in results}
    if len(formats) < 3:
        yield f"expected three images of three formats, found {sorted(formats)}"


def of_nuclei(done: Segmented) -> Iterator[str]:
    """Yield where the number of nuclei differs from the simulation's truth."""
    truth = nuclei.simulate().counts
    labels = done.labels.to_xarray()
    times = range(labels.sizes.get("t", 1))
    for time in times:
        frame = labels.isel(t=time) if "t" in labels.dims else labels
        found = len(np.unique(frame.to_numpy())) - 1
        if abs(found - truth[time]) > TOLERANCE * truth[time]:
            yield f"{done.image.name}: {found} nuclei at time {time}, there are {truth[time]}"


def of_clusters(site: Site) -> Iterator[str]:
    """Yield clusters that were not closed within a minute of the runs' end."""

    def left() -> list[str]:
        folder = site.run / "clusters"  # the gateway keeps a folder for each open cluster
        return [path.name for path in folder.iterdir()] if folder.exists() else []

    if not wait_until(lambda: not left(), CLOSE_SECONDS):
        yield f"clusters still open {CLOSE_SECONDS:.0f} s after the runs: {', '.join(left())}"
    for process in processes_of(site):
        if process["name"] == "dask":
            yield f"a Dask process is left: pid {process['pid']}"


def of_end(site: Site) -> Iterator[str]:
    """Yield what a stopped hub has left on the machine."""
    for process in processes_of(site):
        yield f"process {process['pid']} ({process['name']}) is left"
    for name, port in site.ports.items():
        if not is_free(port):
            yield f"port {port} ({name}) is still in use"


def processes_of(site: Site) -> list[dict[str, Any]]:
    """Return pid and name of what runs in the site's folder or was started with its address."""
    marks = (str(site.run), f"127.0.0.1:{site.ports['gateway-api']}", f"--port={site.port} ")
    found = []
    for process in psutil.process_iter(["pid", "name", "cmdline", "cwd", "status"]):
        about = process.info
        words = " ".join([*(about["cmdline"] or ()), about["cwd"] or "", ""])
        if about["status"] != psutil.STATUS_ZOMBIE and any(mark in words for mark in marks):
            found.append({"pid": about["pid"], "name": about["name"]})
    return found
