"""Projects and images as the browser wants them; see `js/lib/shapes.ts`."""

from __future__ import annotations

from ..lib.catalog import Record
from ..lib.shapes import Shape, file, named, texts
from .catalog import Image, Project, Step


def project(of: Project) -> Shape:
    """Return a project with its allocation and the paths of its datasets."""
    told = of.record
    if "datasets" not in told or "allocation" not in told:
        told = of.refresh().record
    return {
        **texts(told, "name", "title", "role"),
        "allocation": told.get("allocation"),
        "datasets": [
            {**texts(dataset, "uid", "path"), "query": dataset.get("query")}
            for dataset in told.get("datasets") or ()
        ],
    }


def row(of: Record) -> Shape:
    """Return an image as a tile shows it."""
    keys = ("uid", "name", "kind", "axes", "project", "dataset", "thumbnail")
    return {**texts(of.record, *keys), "shape": list(of.record["shape"])}


def detail(of: Image) -> Shape:
    """Return an image as the details panel shows it; asks for its lineage."""
    told, lineage = of.record, of.lineage()
    return {
        **row(of),
        **texts(told, "dtype", "created_by", "created_at"),
        "nbytes": told.get("nbytes"),
        "scale": dict(told.get("scale") or {}),
        "units": dict(told.get("units") or {}),
        "channels": [texts(channel, "name", "color") for channel in told.get("channels") or ()],
        "quality": _quality(told.get("quality")),
        "tags": [
            {
                **texts(tag, "key", "value", "unit", "kind", "source", "link"),
                "number": tag.get("number"),
            }
            for tag in told.get("tags") or ()
        ],
        "completeness": told.get("completeness"),
        "unknown": dict(told.get("unknown") or {}),
        "original": file(told.get("original")),
        "sources": [named(image.record) for image in lineage.parents],
        "results": [texts(image.record, "uid", "name", "kind") for image in lineage.children],
        "run": told.get("run"),
        "made_by": [_step(step) for step in lineage.runs if told["uid"] in step.outputs],
        "used_by": [_step(step) for step in lineage.runs if told["uid"] in step.inputs],
    }


def _step(step: Step) -> Shape:
    """Return a run as the history of an image names it."""
    about = f"{step.template} {step.version}"
    return {"uid": step.run, "name": about, "state": step.state, "person": step.person}


def _quality(told: Shape | None) -> Shape | None:
    """Return what the catalog says of an image's quality, in its words."""
    if not told:
        return None
    return {
        "channels": [
            {
                **texts(channel, "name"),
                "told": [
                    {**texts(one, "key", "title", "text", "level"), "part": float(one["part"])}
                    for one in channel["told"]
                ],
            }
            for channel in told["channels"]
        ],
        "planes": str(told["told"]),
    }
