"""Fill a demo's catalog the way its people would: through its API, with their own tokens."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cid_client

from . import microscopes, samples
from .running import Hub

ROOT = Path(__file__).parent.parent
PROJECT, TEMPLATE = "demo", "segment-cells"
DEMO = {
    "team": "imaging",
    "name": PROJECT,
    "title": "Demo",
    "limit": 20 * 10**9,
    "leaders": ["leader"],
    "members": {"researcher": "contributor", "guest": "viewer"},
}


class SeedFailed(Exception):
    """A step of the demo did not work; the message names it and what to look at."""


@dataclass(frozen=True, slots=True)
class Segmented:
    """One image, its labels, and the run that made them."""

    image: cid_client.Image
    labels: cid_client.Image
    run: cid_client.Run

    @property
    def objects(self) -> int:
        """How many objects the run counted."""
        return int(self.run.metrics["objects"])


def set_up(hub: Hub) -> None:
    """As staff: make what is not there yet: the project, its microscopes, the templates."""
    staff = catalog(hub, "staff")
    with contextlib.suppress(cid_client.Conflict):  # a kept catalog has it
        staff.session.send("POST", "projects", DEMO)
    microscopes.register(staff)
    known = {(t.name, t.version) for t in staff.templates() if t.project is None}
    for folder in sorted((ROOT / "notebooks" / "templates").iterdir()):
        if (folder / "template.toml").exists() and _named(folder) not in known:
            news = ("--changelog", "As it comes with CID.")
            command(hub, "staff", "template", "publish", folder, *news)


def import_all(hub: Hub, items: list[Path], dataset: str) -> list[cid_client.Image]:
    """As researcher: import what the dataset does not hold yet; return all its images.

    A file that cannot be imported is told and passed by. Raises SeedFailed when there is no image.
    """
    researcher = catalog(hub, "researcher")
    known = {original(image) for image in _images(researcher, dataset)}
    for item in items:
        if item.name in known:
            continue
        try:
            command(hub, "researcher", "import", item, "--project", PROJECT, "--dataset", dataset)
        except SeedFailed as failed:
            print(failed, file=sys.stderr)
    found = _images(researcher, dataset)
    if not found:
        raise SeedFailed(f"no image could be imported into {PROJECT}/{dataset}")
    for image in found:
        if original(image) == samples.NUCLEI:
            microscopes.say_taken(image, hub.site.run / "samples")
    return found


def segment(hub: Hub, images: list[cid_client.Image], seconds: float) -> list[Segmented]:
    """As researcher: run the template on those without labels, wait, and return all results."""
    researcher = catalog(hub, "researcher")
    bare = [image for image in images if _labels(image) is None]
    if bare:
        researcher.run(TEMPLATE, bare).wait(timeout=seconds, progress=sys.stderr.isatty())
    return [_segmented(researcher, image) for image in images]


def catalog(hub: Hub, person: str) -> Any:
    """Return the catalog as one of the demo's people sees it."""
    return cid_client.connect(hub.service_url, hub.token(person))


def command(hub: Hub, person: str, *arguments: str | Path) -> None:
    """Run `jupyter cid` as a person; raise SeedFailed with its own words when it fails."""
    done = subprocess.run(
        [Path(sys.executable).parent / "jupyter-cid", *arguments],
        env={**os.environ, "CID_URL": hub.service_url, "CID_TOKEN": hub.token(person)},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SeedFailed(f"jupyter cid {arguments[0]}: {done.stderr.strip()}")


def original(image: cid_client.Image) -> str:
    """Return the name of the file that an image came from."""
    return str((image.refresh().record.get("original") or {}).get("name", image.name))


def _images(researcher: Any, dataset: str) -> list[cid_client.Image]:
    if dataset not in [one.path for one in researcher.project(PROJECT).datasets]:
        return []
    return list(researcher.search(project=PROJECT, dataset=dataset, kind="image"))


def _segmented(researcher: Any, image: cid_client.Image) -> Segmented:
    labels = _labels(image)
    if labels is None or labels.run is None:
        raise SeedFailed(f"{image.name} has no labels after its run")
    return Segmented(
        image, labels, cid_client.Run(researcher.session, {"uid": labels.run}).refresh()
    )


def _labels(image: cid_client.Image) -> cid_client.Image | None:
    made = (child for child in image.lineage().children if child.kind == "labels")
    return next(made, None)


def _named(folder: Path) -> tuple[str, str]:
    about = tomllib.loads((folder / "template.toml").read_text(encoding="utf-8"))["template"]
    return about["name"], about["version"]
