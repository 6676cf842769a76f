"""From staged files to a prepared commit: each one converted and hashed, nothing moved yet."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..core.catalog.commits import Commit, NewFile, NewImage
from ..errors import BadFile, BadInput
from ..storage import manifests
from ..storage.roots import Root, file_prefix, image_prefix, staging_prefix
from .convert import Converted, convert

PIXELS = ("image", "labels")
FILES = ("table", "figure", "file", "notebook")


@dataclass(frozen=True, slots=True)
class Staged:
    """What is known of a deposit when its import begins."""

    uid: str
    kind: str
    declared: tuple[tuple[str, int], ...]
    outputs: tuple[dict[str, Any], ...] = ()
    input_name: str = ""  # of a run: its input image's name, which results are called after
    label: str = ""  # of a run: what its executed notebook is called
    out: str = "out"  # where it is converted to; two processes never write to the same


@dataclass(frozen=True, slots=True)
class Prepared:
    """A commit that is ready, and the moves in storage that it needs."""

    commit: Commit = field(default_factory=Commit)
    moves: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what the database keeps, so that a restart finishes the same commit."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Prepared:
        """Return the prepared commit that `as_json` wrote."""
        images = [
            NewImage(
                **{
                    **image,
                    "shape": tuple(image["shape"]),
                    "tags": [tuple(tag) for tag in image["tags"]],
                }
            )
            for image in raw["commit"]["images"]
        ]
        files = [NewFile(**file) for file in raw["commit"]["files"]]
        return cls(Commit(images, files), [(source, to) for source, to in raw["moves"]])


@dataclass(frozen=True, slots=True)
class Watch:
    """How the one who prepares is told, and stopped."""

    plan: Callable[[int], None]
    progress: Callable[[float, str], None]
    should_stop: Callable[[], bool]


def prepare(root: Root, staged: Staged, watch: Watch) -> Prepared:
    """Convert and hash everything staged. Raises BadFile, BadInput or OverQuota."""
    _check_complete(root, staged)
    if staged.kind == "run":
        return _results(root, staged, watch)
    if staged.kind == "files":
        return _plain_files(root, staged)
    return _imports(root, staged, watch)


def _check_complete(root: Root, staged: Staged) -> None:
    for path, nbytes in staged.declared:
        found = root.path(f"{staging_prefix(staged.uid)}/in/{path}")
        if not found.is_file() or found.stat().st_size != nbytes:
            raise BadInput(f"{path}: declared but not uploaded whole; upload it and commit again")


def _imports(root: Root, staged: Staged, watch: Watch) -> Prepared:
    """Every top-level entry of the deposit is one import: its original is kept beside it."""
    done = Prepared()
    entries = sorted({path.split("/")[0] for path, _ in staged.declared})
    for number, entry in enumerate(entries):
        key = f"{staging_prefix(staged.uid)}/in/{entry}"
        original = _file(root, done, staged, key, entry, "original")
        share = _share(watch, number, len(entries))
        for image, made in _convert(root, staged, key, number, "image", share):
            new = _image(root, staged, image, made, image.name, "image", original=original.uid)
            done.commit.images.append(new)
            done.moves.append((made, new.prefix))
    return done


def _results(root: Root, staged: Staged, watch: Watch) -> Prepared:
    """A run says of each file what it is; pixels are rewritten by us, other files kept."""
    done = Prepared()
    for number, output in enumerate(staged.outputs):
        key = f"{staging_prefix(staged.uid)}/in/{output['path']}"
        kind, name = output["kind"], output["name"]
        if kind in PIXELS:
            share = _share(watch, number, len(staged.outputs))
            source = output.get("source")
            for image, made in _convert(root, staged, key, number, kind, share):
                title = f"{staged.input_name} {name}".strip()
                new = _image(root, staged, image, made, title, kind, source=source)
                done.commit.images.append(new)
                done.moves.append((made, new.prefix))
        elif kind in FILES:
            title = f"{staged.label}.ipynb" if kind == "notebook" else Path(output["path"]).name
            _file(root, done, staged, key, title, kind)
        else:
            raise BadInput(f"output {name!r} is of no kind that we know: {kind!r}")
    return done


def _plain_files(root: Root, staged: Staged) -> Prepared:
    done = Prepared()
    for path, _ in staged.declared:
        key = f"{staging_prefix(staged.uid)}/in/{path}"
        _file(root, done, staged, key, Path(path).name, "file")
    return done


def _convert(
    root: Root, staged: Staged, key: str, number: int, kind: str, watch: Watch
) -> Iterator[tuple[Converted, str]]:
    """Yield each image of one staged file with the key where it was written."""
    out = f"{staging_prefix(staged.uid)}/{staged.out}/{number}"
    try:
        images = convert(
            root.path(key),
            root.path(out),
            kind=kind,
            on_plan=watch.plan,
            on_progress=watch.progress,
            should_stop=watch.should_stop,
        )
    except BadFile as error:
        raise BadFile(f"{key.rpartition('/')[2]}: {error}") from None
    for image in images:
        yield image, f"{out}/{image.folder.name}"


def _image(
    root: Root, staged: Staged, image: Converted, key: str, name: str, kind: str, **more: Any
) -> NewImage:
    uid = _uid(staged, "image/" + key.partition(f"/{staged.out}/")[2])
    return NewImage(
        uid=uid,
        name=name[:200],
        kind=kind,
        axes=image.axes,
        shape=image.shape,
        dtype=image.dtype,
        levels=image.levels,
        scale=image.scale,
        units=image.units,
        channels=image.channels,
        tags=image.tags,
        prefix=image_prefix(uid),
        nbytes=image.nbytes,
        sha256=manifests.write(root.path(key)),
        **more,
    )


def _file(root: Root, done: Prepared, staged: Staged, key: str, name: str, kind: str) -> NewFile:
    uid = _uid(staged, f"file/{key}")
    path = root.path(key)
    if not path.exists():
        raise BadInput(f"output {name!r} was not uploaded")
    file = NewFile(uid, name, kind, file_prefix(uid), root.nbytes(key), root.digest(key))
    done.commit.files.append(file)
    done.moves.append((key, f"{file.prefix}/{name}"))
    return file


def _uid(staged: Staged, part: str) -> str:
    """Return the same name each time this deposit is prepared, so that a retry makes no twin."""
    return str(uuid.uuid5(uuid.UUID(staged.uid), part))


def _share(watch: Watch, number: int, total: int) -> Watch:
    """Return a watch whose progress is this item's part of the whole."""
    return Watch(
        watch.plan,
        lambda fraction, text: watch.progress((number + fraction) / total, text),
        watch.should_stop,
    )
