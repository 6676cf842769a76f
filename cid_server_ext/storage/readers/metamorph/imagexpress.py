"""ImageXpress plates: a TIFF for each site, wave, time point and z, told apart by their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import tifffile

from ....errors import BadFile
from ..described import Lit, positive
from ..ome.ome_files import told_missing
from ..planes import Page, Place, Planes, blamed
from ..policy import Tree
from ..source import MachineTag, Source, source
from ..values import clean, listed
from . import nd, uic

HEADER = b'"HTSInfoFile"'
IMAGE = re.compile(
    r"(?P<plate>.*?)_(?P<well>[A-Z]{1,2}\d{2})(?:_s(?P<site>\d{1,4}))?(?:_w(?P<wave>\d{1,2}?))?"
    r"(?P<thumb>_thumb)?(?:[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})?\.tiff?",
    re.IGNORECASE,
)
STEP = re.compile(r"(?P<axis>TimePoint|ZStep)_(?P<number>\d{1,5})", re.IGNORECASE)
FROM_ZERO = re.compile(r"(?:^|/)ZStep_0+/", re.IGNORECASE)  # as exported plates count
MOST_IMAGES = 10_000
MOST_FILES = 2_000_000

Shot = tuple[int, int, int]  # time point, wave, z step; z step 0 is a file outside of any ZStep


@dataclass
class Plate:
    """The files of a plate by well and site. Thumbnails are passed by."""

    name: str
    sites: dict[tuple[str, int], dict[Shot, str]] = field(default_factory=dict)

    @property
    def waves(self) -> list[int]:
        """The numbers of the waves that any site has."""
        return sorted({wave for shots in self.sites.values() for _, wave, _ in shots})


def is_plate(path: Path, head: bytes) -> bool:
    """Say whether a folder is a plate, or a file is one of a plate whose folder is not."""
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir())
        if any(name.lower().endswith(".htd") for name in names):
            return any(_image(file) for file in _below(path))
        steps = [name for name in names if STEP.fullmatch(name)]
        return not STEP.fullmatch(path.name) and any(
            _image(f"{step}/{name}") for step in steps for name in _below(path / step)
        )
    if head.startswith(HEADER):
        return True
    found = _image(path.name)
    if not found or not (found["site"] or found["wave"]):
        return False
    with tifffile.TiffFile(path, is_mmstack=False, is_ome=False) as tiff:
        return uic.is_plane(tiff)


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the other files of the plate that a file is of, thumbnails included."""
    home, own = _split(main)
    names = [file[len(home) :] for file in tree.below(home.rstrip("/")) if file.startswith(home)]
    if not _image(own):  # a .HTD
        plates = {_plate_of(name) for name in names if _image(name)}
    else:
        plates = {_plate_of(own)}
    found = {home + name for name in names if _image(name) and _plate_of(name) in plates}
    return found or None


def open_plate(path: Path) -> list[Source]:
    """Return one image for each site, with its waves as channels; all a plate's wells."""
    if path.is_dir():
        home, plates = path, _plates(path, _below(path))
    else:
        own = _split("/".join(path.parts[-3:]))[1]  # TimePoint_n, ZStep_n and the name at most
        home = path.parents[own.count("/")]
        plates = _plates(home, _below(home))
        if _image(own):
            plates = [plate for plate in plates if plate.name == _plate_of(own)]
    count = sum(len(plate.sites) for plate in plates)
    if not count:
        raise BadFile("no image of the plate is there: upload its folder whole")
    if count > MOST_IMAGES:
        raise BadFile(f"the plate has {count} sites, more than {MOST_IMAGES}")
    return [image for plate in plates for image in _images(home, plate, len(plates) > 1)]


def _images(home: Path, plate: Plate, several: bool) -> Iterator[Source]:
    first = {
        wave: next(shots for _, shots in sorted(plate.sites.items()) if _of(wave, shots))
        for wave in plate.waves
    }
    names = _names(home, plate, first)
    steps = (_step(home, shots, wave) for wave, shots in first.items())
    step = next(filter(None, steps), None)
    for where in sorted(plate.sites):
        yield _site(home, plate, where, names, step, several)


def _of(wave: int, shots: dict[Shot, str]) -> list[Shot]:
    return sorted(shot for shot in shots if shot[1] == wave)


def _names(home: Path, plate: Plate, first: dict[int, dict[Shot, str]]) -> dict[int, str]:
    """Return what the waves are called; those with one name also by their number."""
    words = _words(home, plate.name)
    told = {
        wave: words.get(f"WaveName{wave}") or _told(home, shots[_of(wave, shots)[0]]).channel
        for wave, shots in first.items()
    }
    often = Counter(told.values())
    return {wave: f"{name} w{wave}" if often[name] > 1 else name for wave, name in told.items()}


def _site(
    home: Path,
    plate: Plate,
    where: tuple[str, int],
    names: dict[int, str],
    step: float | None,
    several: bool,
) -> Source:
    well, site = where
    shots = plate.sites[where]
    waves = plate.waves
    times = sorted({time for time, _, _ in shots})
    depth = max(1, *(z for _, _, z in shots))
    pages: dict[Place, Page] = {}
    flat: list[str] = []
    for c, wave in enumerate(waves):
        deep = any(z for _, one, z in shots if one == wave)
        if depth > 1 and not deep and any(one == wave for _, one, _ in shots):
            flat.append(names.get(wave) or f"w{wave}")
        for t, time in enumerate(times):
            for z in range(depth):
                # a wave that was taken at one z belongs to each
                if name := shots.get((time, wave, z + 1 if deep else 0)):
                    pages[t, c, z] = Page(home / name)
    planes = Planes((len(times), len(waves), depth), pages)
    told = _told(home, shots[min(shots)])
    made = told.describe()
    made.name = clean(f"{plate.name + ' ' if several else ''}{well} s{site}", 255)
    made.scale["z"] = step if depth > 1 else None
    if len(times) > 1 and told.taken:
        last = max(shot for shot in shots if shot[1:] == min(shots)[1:])
        if end := _told(home, shots[last]).taken:
            lasted = (end - told.taken).total_seconds()
            made.scale["t"] = positive(lasted / max(1, times.index(last[0])))
    made.channels = [Lit(name=clean(names.get(wave) or f"w{wave}", 120)) for wave in waves]
    letters, number = re.fullmatch(r"([A-Z]+)(\d+)", well).groups()  # type: ignore[union-attr]
    tags: list[MachineTag] = [
        ("Plate", clean(plate.name), None),
        ("Well", well, None),
        ("Row", letters, None),
        ("Column", number, float(number)),
        ("Field", str(site), float(site)),
    ]
    made.notes["plate"] = {key: value for key, value, _ in tags}
    if flat:
        tags.append(("Repeated planes", f"at every z the one plane of: {listed(flat)}", None))
    axes, pixels = planes.pixels()
    facts = made.facts("tczyx", (*planes.size, *planes.shape[:2]), planes.dtype)
    told_tags = tuple(tag for tag in tags if tag[1])
    image = source(replace(facts, tags=(*facts.tags, *told_tags)), axes, pixels)
    return told_missing(image, planes)


def _plates(home: Path, names: Iterable[str]) -> list[Plate]:
    """Return the plates that the paths below a folder belong to."""
    found: dict[str, Plate] = {}
    named = sorted(names)
    start = 1 if any(FROM_ZERO.search(name) for name in named) else 0
    for name in named:
        match = _image(name)
        if match is None or match["thumb"]:
            continue
        at = {"timepoint": 1, "zstep": 0}
        for part in name.split("/")[:-1]:
            if step := STEP.fullmatch(part):
                axis = step["axis"].lower()
                at[axis] = int(step["number"]) + (start if axis == "zstep" else 0)
        plate = found.setdefault(str(match["plate"]), Plate(str(match["plate"])))
        shots = plate.sites.setdefault((match["well"].upper(), int(match["site"] or 1)), {})
        if (home / name).is_symlink():
            raise BadFile(f"{name[:100]!r} is a link: copy the file itself")
        shot = at["timepoint"], int(match["wave"] or 1), at["zstep"]
        if other := shots.get(shot):
            raise BadFile(
                f"{other[:80]!r} and {name[:80]!r} are of the same site, wave and time: keep the"
                " TimePoint folders of the plate"
            )
        shots[shot] = name
    return list(found.values())


def _below(folder: Path) -> Iterator[str]:
    """Yield the files of a folder and of the TimePoint and ZStep folders below it."""
    count = 0
    waiting = [""]
    while waiting:
        place = waiting.pop()
        for entry in sorted((folder / place).iterdir()):
            name = f"{place}{entry.name}"
            count += 1
            if count > MOST_FILES:
                raise BadFile(f"the plate has more than {MOST_FILES} files")
            if entry.is_symlink() and not _image(name):
                continue
            if entry.is_symlink() or entry.is_file():
                yield name
            elif STEP.fullmatch(entry.name):
                waiting.append(f"{name}/")


def _image(name: str) -> re.Match[str] | None:
    return IMAGE.fullmatch(name.rpartition("/")[2])


def _plate_of(name: str) -> str:
    found = _image(name)
    return str(found["plate"]) if found else ""


def _split(file: str) -> tuple[str, str]:
    """Return (the folder of the plate with its "/", the rest) of the path of one of its files."""
    parts = file.split("/")
    at = len(parts) - 1
    while at and STEP.fullmatch(parts[at - 1]):
        at -= 1
    return "".join(f"{part}/" for part in parts[:at]), "/".join(parts[at:])


def _told(home: Path, name: str) -> uic.Told:
    path = home / name
    with blamed(path), tifffile.TiffFile(path, is_mmstack=False, is_ome=False) as tiff:
        return uic.Told(tiff)


def _step(home: Path, shots: dict[Shot, str], wave: int) -> float | None:
    """Return the distance of the first two planes of a wave, in micrometers."""
    deep = sorted(shot for shot in shots if shot[1] == wave and shot[2])[:2]
    if len(deep) < 2 or deep[0][0] != deep[1][0]:
        return None
    low, high = (positive(_told(home, shots[shot]).get("z-position")) for shot in deep)
    return positive(abs(high - low) / (deep[1][2] - deep[0][2])) if low and high else None


def _words(home: Path, plate: str) -> dict[str, str]:
    """Return what the .HTD beside says, of this plate or the only one there is."""
    found = sorted(
        entry
        for entry in home.iterdir()
        if entry.suffix.lower() == ".htd" and entry.is_file() and not entry.is_symlink()
    )
    own = [entry for entry in found if entry.stem == plate] or (found if len(found) == 1 else [])
    return nd.words(own[0]) if own else {}
