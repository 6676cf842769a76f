"""The whole way on one machine: a hub, its people, images, a run on a cluster, the results.

python -m hub_config.demo                stays up; the catalog in run/demo is kept
python -m hub_config.demo --check        does it in a folder of its own, verifies it and exits
python -m hub_config.demo --data DIR     imports the images of DIR instead of the samples
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cid_client

from . import accounts, checks, samples, seed, welcome
from .ports import PortBusy, free_base
from .running import Hub, HubFailed, running
from .seed import Segmented
from .site import Site

RUNS = seed.ROOT / "run"
RUN_SECONDS = 900.0


def main(argv: Sequence[str] | None = None) -> int:
    """Show or check the demo; 0, or 1 with a line that says what is wrong."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.data is not None and not options.data.exists():
        parser.error(f"--data {options.data}: there is no such folder")
    started = time.monotonic()
    try:
        if options.check:
            problems = check(options)
            for problem in problems:
                say(f"FAILED  {problem}")
            say(
                f"demo {'failed' if problems else 'verified'} in {time.monotonic() - started:.0f} s"
            )
            return 1 if problems else 0
        return show(options)
    except (HubFailed, PortBusy, seed.SeedFailed, cid_client.CidError, TimeoutError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 0


def show(options: argparse.Namespace) -> int:
    """Start the demo, and stay until Ctrl-C."""
    kept = Path(os.environ.get("CID_RUN_DIR", RUNS / "demo")).resolve()
    port = options.port or int(os.environ.get("CID_PORT", "8000"))
    with running(Site(port, kept, demo=True)) as hub:
        say(f"hub    {hub.url} is up")
        tell(work(hub, options.data))
        say(invitation(hub))
        status = hub.process.wait()
        say(hub.last_words())
        return status


def check(options: argparse.Namespace) -> list[str]:
    """Do everything in a new folder and return what is not as it must be."""
    RUNS.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="check-", dir=RUNS))
    site = Site(options.port or free_base(), folder, demo=True)
    with running(site) as hub:
        say(f"hub    {hub.url} is up")
        results = work(hub, options.data)
        tell(results)
        problems = [*checks.of_results(results), *checks.of_clusters(site)]
        if options.data is None:
            problems += checks.of_samples(results)
        started = time.monotonic()
    say(f"stop   {time.monotonic() - started:.1f} s")
    problems += checks.of_end(site)
    if problems:
        say(f"what it did is kept in {folder}")
    else:
        shutil.rmtree(folder)
    return problems


def work(hub: Hub, data: Path | None) -> list[Segmented]:
    """Set up, import, run; say each step with its seconds."""
    clock = Clock()
    for person in welcome.TOURS:
        welcome.write(hub.site.run / "home" / person / "Welcome.ipynb", person)
    seed.set_up(hub)
    clock.lap("setup  project, people and templates")
    if data is None:
        items, dataset = samples.prepare(hub.site.run / "samples"), "samples"
    else:
        items, dataset = list(cid_client.find_items(data)), data.resolve().name
    images = seed.import_all(hub, items, dataset)
    clock.lap(f"import {len(images)} images in {seed.PROJECT}/{dataset}")
    results = seed.segment(hub, images, RUN_SECONDS)
    clock.lap(f"run    {seed.TEMPLATE} on {len(results)} images")
    return results


def tell(results: list[Segmented]) -> None:
    """Print what there is of each image, and where its provenance is."""
    for done in results:
        notebook = done.run.result.notebook
        say(
            f"\n{done.image.name}\n"
            f"  image    {done.image.uid}\n"
            f"  objects  {done.objects}\n"
            f"  run      {done.run.uid}\n"
            f"  notebook sha256 {notebook.sha256 if notebook else 'none'}\n"
            f"  address  {done.image.session.url}images/{done.image.uid}"
        )
    say("")


def invitation(hub: Hub) -> str:
    """Return what to do now."""
    return (
        f"Open      {hub.url}/hub/user-redirect/lab/tree/Welcome.ipynb\n"
        f"Log in as researcher ({', '.join(accounts.ACCOUNTS)} have the same password)\n"
        f"Password  {hub.password}\n"
        f"Log       {hub.site.log}\n"
        "All servers run as one system user: accounts are not protected from each other here.\n"
        "Ctrl-C stops everything; the catalog is kept for the next `make demo`."
    )


class Clock:
    """Seconds since the last lap."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def lap(self, text: str) -> None:
        """Say what has been done, and how long it took."""
        now = time.monotonic()
        say(f"{text}: {now - self.last:.1f} s")
        self.last = now


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo ARGS=...", description=__doc__)
    parser.add_argument("--check", action="store_true", help="verify everything, then exit")
    parser.add_argument("--data", type=Path, help="a folder of images to import instead")
    parser.add_argument("--port", type=int, help="the first of six ports (default: CID_PORT, 8000)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
