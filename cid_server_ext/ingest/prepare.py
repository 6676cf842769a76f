"""From staged files to a prepared commit: each one converted and hashed, nothing moved yet."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadFile, BadInput, WrongDigest
from ..storage import digests
from ..storage.roots import Root
from . import trees
from .items import there_already
from .limits import Limits
from .prepared import Prepared, Staged, Watch, new_file, new_image
from .progress import Progress
from .workers import Worker
from .workshops import HERE, Workshop

PIXELS = ("image", "labels")
ENDINGS = {"notebook": ".ipynb", "log": ".log"}  # these are called after their run
FILES = ("table", "figure", "file", *ENDINGS)


def prepare(
    root: Root, staged: Staged, watch: Watch, limits: Limits, workshop: Workshop = HERE
) -> Prepared:
    """Convert and hash everything staged. Raises BadFile, BadInput or OverQuota."""
    _check_complete(root, staged)
    if staged.kind == "files":
        return _plain_files(root, staged, watch)
    if staged.kind == "run":
        account = Progress(())

        def wait(text: str) -> None:
            account.say(text)
            watch.progress(account)

        with workshop.worker(limits, watch.should_stop, wait) as worker:
            return _results(root, staged, watch, worker)
    return trees.prepare(root, staged, watch, limits, workshop)


def _check_complete(root: Root, staged: Staged) -> None:
    for path, nbytes in staged.declared:
        found = root.path(f"{staged.prefix}/in/{path}")
        if path in staged.held and not found.exists():
            continue
        if not found.is_file() or found.stat().st_size != nbytes:
            raise BadInput(f"{path}: declared but not uploaded whole: open a deposit and send it")


def _results(root: Root, staged: Staged, watch: Watch, worker: Worker) -> Prepared:
    """A run says of each file what it is; pixels are rewritten by us, other files kept."""
    done = Prepared()
    keys = [f"{staged.prefix}/in/{output['path']}" for output in staged.outputs]
    sizes = (root.nbytes(key) if root.path(key).exists() else 0 for key in keys)
    account = Progress(zip(keys, sizes, strict=True))
    for number, (output, key) in enumerate(zip(staged.outputs, keys, strict=True)):
        kind, name = output["kind"], output["name"]
        if kind in PIXELS:
            out = f"{staged.prefix}/{staged.out}/{number}"

            def tell(fraction: float, text: str, key: str = key) -> None:
                account.at(key, fraction, text)
                watch.progress(account)

            try:
                source, target = root.path(key), root.path(out)
                images = worker.convert(
                    source, target, kind=kind, on_plan=watch.plan, on_progress=tell
                )
            except BadFile as error:
                raise BadFile(f"{key.rpartition('/')[2]}: {error}") from None
            for image in images:
                made, title = f"{out}/{image.folder.name}", f"{staged.input_name} {name}".strip()
                about = output.get("source")
                new = new_image(root, staged, image, made, title, kind, source=about)
                done.commit.images.append(new)
                done.moves.append((made, new.prefix))
        elif kind in FILES:
            ending = ENDINGS.get(kind)
            title = f"{staged.label}{ending}" if ending else Path(output["path"]).name
            file = new_file(root, staged, key, title, kind)
            if (claimed := output.get("sha256")) and claimed != file.sha256:
                raise WrongDigest(
                    f"{output['path']}: its worker says sha256 {claimed[:12]}…,"
                    f" what came has {file.sha256[:12]}…: nothing of it is kept"
                )
            done.commit.files.append(file)
            done.moves.append((key, f"{file.prefix}/{title}"))
        else:
            raise BadInput(f"output {name!r} is of no kind that we know: {kind!r}")
        account.end(key, "done")
    return done


def _plain_files(root: Root, staged: Staged, watch: Watch) -> Prepared:
    done = Prepared()
    known = digests.noted(root.path(staged.prefix))
    account = Progress(staged.declared)
    for path, _ in staged.declared:
        if there := there_already(root, staged, path):
            done.commit.there.append(there)
            account.end(path, "there")
            continue
        folder, _, name = path.rpartition("/")
        key = f"{staged.prefix}/in/{path}"
        account.at(path, 0.0, f"reading {name}")
        watch.progress(account)
        file = new_file(root, staged, key, name, "file", known.get(path), folder)
        done.commit.files.append(file)
        done.moves.append((key, f"{file.prefix}/{name}"))
        account.end(path, "done")
    return done
