"""Files that belong together, by format: what is there, and what is waited for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import description
from .listing import Listing, State, below
from .places import at

OME = (".ome.tif", ".ome.tiff", ".ome.tf2", ".ome.tf8", ".companion.ome")
LARGEST_ND = 1 << 20  # bytes; no real one is larger
END = "EndFile"  # the last line of a .nd
MOST = 100_000  # files that a .nd may ask for
# names of files in folders that are one acquisition: its planes come before what lists them
PARTS = re.compile(
    r".*\.htd|.*\.mlf|ndtiff\.index|.*_mmstack.*"
    r"|img_(\d{9}_|channel\d|position\d|time\d).*\.tiff?"
    r"|r\d\dc\d\df\d+p\d+-ch\d.*\.tiff?",
    re.IGNORECASE,
)


@dataclass
class Family:
    """The main file, by name; its files by path below the folder; what is missing of them.

    folders: those of the folder that are a part of it, and no folder of their own.
    """

    main: str
    files: dict[str, State]
    missing: list[str] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)


def is_acquisition(here: Listing) -> bool:
    """Say whether a folder is one acquisition: a plate, or what Micro-Manager wrote."""
    return any(PARTS.fullmatch(name) for name in here.files)


def families(here: Listing) -> Iterator[Family]:
    """Yield what belongs together in a folder; no file is in two of them."""
    free = dict(here.files)
    for kind in KINDS:
        for family in kind(here, free):
            for name in family.files:
                free.pop(name, None)
            yield family


def _metamorph(here: Listing, free: dict[str, State]) -> Iterator[Family]:
    """A .nd has a STK or TIFF for each stage, wave and time point that it lists.

    While its end is not written, or it cannot be read, all that may be of it waits with it.
    """
    for main in sorted(name for name in free if name.lower().endswith(".nd")):
        words = _words(here.folder / main, free[main].nbytes)
        stem = main[:-3]
        found, missing = {main: free[main]}, [] if END in words else [f"the end of {main}"]
        beside: dict[str, str] = {}
        for name in sorted(free):
            base, _, suffix = name.rpartition(".")
            if suffix.lower() in ("stk", "tif", "tiff") and base.lower().startswith(stem.lower()):
                tail = base[len(stem) :]
                beside.setdefault(_plain(tail), name)
                if missing and tail.startswith("_"):
                    found[name] = free[name]
        for tail, short in _tails(words):
            name = beside.get(_plain(tail)) or beside.get(_plain(short)) or ""
            if not name:
                missing.append(f"{stem}{tail}")
            else:
                found[name] = free[name]
        yield Family(main, found, missing)


def _words(path: Path, nbytes: int) -> dict[str, str]:
    if nbytes > LARGEST_ND:
        return {}
    try:
        text = Path(at(path)).read_text(encoding="latin-1")
    except OSError:  # a program writes it and lets nobody read
        return {}
    pairs = re.findall(r'^\s*"([^"]+)"(?:\s*,\s*(.*?))?\s*$', text, re.MULTILINE)
    return {key: value.strip('"') for key, value in reversed(pairs)}


def _tails(words: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield how the names of the files go on after the .nd's, with the wave's name and without."""

    def yes(key: str, otherwise: str = "FALSE") -> bool:
        return words.get(key, otherwise).upper() == "TRUE"

    def count(key: str) -> int:
        told = words.get(key, "")
        return int(told) if told.isdecimal() and len(told) < 7 else 0

    waves = [("", "")]
    if yes("DoWave"):
        named = yes("WaveInFileName", "TRUE")
        numbers = range(1, 1 + count("NWavelengths"))
        waves = [
            (f"_w{n}{words.get(f'WaveName{n}', '') if named else ''}", f"_w{n}") for n in numbers
        ]
    stages = [f"_s{n + 1}" for n in range(count("NStagePositions"))] if yes("DoStage") else [""]
    times = [f"_t{n + 1}" for n in range(count("NTimePoints"))] if yes("DoTimelapse") else [""]
    if len(waves) * len(stages) * len(times) > MOST:
        return
    for wave, short in waves:
        for stage in stages:
            for time in times:
                yield f"{wave}{stage}{time}", f"{short}{stage}{time}"


def _plain(tail: str) -> str:
    """Return a tail with one sign for all that a file's name may not have."""
    return re.sub(r"[^a-z0-9]+", "-", tail.lower())


def _olympus_slide(here: Listing, free: dict[str, State]) -> Iterator[Family]:
    """A .vsi has its pixels in `_name_/**/*.ets`, where the folder may be there before it."""
    ways = {f"_{name[:-4]}_": name for name in free if name.lower().endswith(".vsi")}
    for folder in here.folders:
        if folder in ways or not (folder.startswith("_") and folder.endswith("_") and folder[1:-1]):
            continue
        if any(path.lower().endswith(".ets") for path, _ in below(here.folder / folder)):
            ways[folder] = f"{folder[1:-1]}.vsi"
    for folder, main in sorted(ways.items()):
        yield _with_folder(here, free, main, folder, ".ets")


def _olympus_confocal(here: Listing, free: dict[str, State]) -> Iterator[Family]:
    """A .oif has its planes in `name.oif.files`, where the folder may be there before it."""
    ways = {f"{name}.files": name for name in free if name.lower().endswith(".oif")}
    for folder in here.folders:
        if folder.lower().endswith(".oif.files"):
            ways.setdefault(folder, folder[: -len(".files")])
    for folder, main in sorted(ways.items()):
        yield _with_folder(here, free, main, folder, ".tif")


def _with_folder(
    here: Listing, free: dict[str, State], main: str, folder: str, suffix: str
) -> Family:
    found = {main: free[main]} if main in free else {}
    missing = [] if main in free else [main]
    folders = {folder} & set(here.folders)
    inside = dict(below(here.folder / folder)) if folders else {}
    if not any(path.lower().endswith(suffix) for path in inside):
        missing.append(f"{folder}/*{suffix}")
    found |= {f"{folder}/{path}": state for path, state in inside.items()}
    return Family(main, found, missing, folders)


def _ome(here: Listing, free: dict[str, State]) -> Iterator[Family]:
    """An OME-TIFF names the others of its set; those that name one another are one."""
    names = sorted(name for name in free if name.lower().endswith(OME))
    names.sort(key=lambda name: not name.lower().endswith(OME[-1]))  # the companion leads
    wanted = {name: _wanted(here, free, name) for name in names}
    sets: list[set[str]] = []
    for name in names:
        kin = wanted[name] | {name}
        apart = [other for other in sets if not other & kin]
        sets = [*apart, kin.union(*(other for other in sets if other & kin))]
    for kin in sets:
        there = sorted(
            kin & free.keys(), key=lambda name: (not name.lower().endswith(OME[-1]), name)
        )
        if len(kin) > 1:
            yield Family(there[0], {name: free[name] for name in there}, sorted(kin - free.keys()))


def _wanted(here: Listing, free: dict[str, State], name: str) -> set[str]:
    """Return what a file names, but not who names one TIFF that is absent: itself, before."""
    wanted = set(description.named(here.folder / name, *free[name]))
    absent = wanted - free.keys()
    if len(wanted) == 1 and absent and not absent.pop().lower().endswith(OME[-1]):
        return set()
    return wanted


KINDS: tuple[Callable[[Listing, dict[str, State]], Iterator[Family]], ...] = (
    _metamorph,
    _olympus_slide,
    _olympus_confocal,
    _ome,
)
