"""MetaMorph .nd: one acquisition in a STK or TIFF for each stage position, wave and time point."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import tifffile

from ....errors import BadFile
from .. import xmltext
from ..described import Described, Lit
from ..ome.ome_files import told_missing
from ..planes import Page, Place, Planes
from ..policy import Tree
from ..source import MachineTag, Source, source
from ..values import clean, listed
from . import uic

HEADER = b'"NDInfoFile"'
SUFFIXES = (".stk", ".tif", ".tiff")
LARGEST = 1 << 20  # bytes of the .nd itself
MOST = 100_000  # files that it may ask for
MOST_PLANES = 5_000_000
MOST_STAGES = 1000


@dataclass(frozen=True, slots=True)
class Wave:
    """One channel. deep: it was taken at every z; otherwise at one."""

    number: int
    name: str
    in_file_name: bool
    deep: bool


@dataclass(frozen=True, slots=True)
class Recipe:
    """What was to be acquired. An axis that was not is 0 in the names of the files: left out."""

    stages: tuple[str, ...]
    waves: tuple[Wave, ...]
    times: int
    depth: int
    step: float | None
    start: str
    timed: bool
    words: dict[str, str]

    def tail(self, stage: int, wave: Wave, time: int, named: bool = True) -> str:
        """Return how the name of a file goes on after that of the .nd."""
        text = ""
        if wave.number:
            text += f"_w{wave.number}{wave.name if wave.in_file_name and named else ''}"
        if self.stages:
            text += f"_s{stage + 1}"
        return f"{text}_t{time + 1}" if self.timed else text


def read(path: Path) -> Recipe:
    """Return what a .nd says; BadFile: it is damaged, or asks for more than any acquisition."""
    told = words(path)
    deep = _yes(told, "DoZSeries")
    waves: tuple[Wave, ...] = (Wave(0, "", False, deep),)
    if _yes(told, "DoWave"):
        waves = tuple(
            Wave(
                number,
                told.get(f"WaveName{number}", ""),
                told.get("WaveInFileName", "TRUE").upper() == "TRUE",
                deep and told.get(f"WaveDoZ{number}", "TRUE").upper() == "TRUE",
            )
            for number in range(1, 1 + _count(told, "NWavelengths"))
        )
    stages: tuple[str, ...] = ()
    if _yes(told, "DoStage"):
        numbers = range(1, 1 + _count(told, "NStagePositions"))
        stages = tuple(clean(told.get(f"Stage{number}", ""), 100) for number in numbers)
    timed = _yes(told, "DoTimelapse")
    recipe = Recipe(
        stages=stages,
        waves=waves,
        times=_count(told, "NTimePoints") if timed else 1,
        depth=_count(told, "NZSteps") if deep else 1,
        step=xmltext.number(told.get("ZStepSize")),
        start=told.get("StartTime1", ""),
        timed=timed,
        words=told,
    )
    files = max(1, len(stages)) * len(waves) * recipe.times
    if files > MOST or files * recipe.depth > MOST_PLANES or len(stages) > MOST_STAGES:
        raise BadFile("the .nd asks for more files than any acquisition has")
    return recipe


def words(path: Path) -> dict[str, str]:
    """Return the pairs of a .nd or .HTD, `"key", value` in each line."""
    if path.stat().st_size > LARGEST:
        raise BadFile(f"the {path.suffix} is larger than 1 MB: no real one is")
    found: dict[str, str] = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if pair := re.match(r'\s*"([^"]+)"\s*,\s*(.*?)\s*$', line):
            found.setdefault(pair[1], pair[2].strip('"'))
    return found


def open_nd(path: Path) -> list[Source]:
    """Return one image for each stage position. BadFile: no file of one is there."""
    recipe = read(path)
    files = _Files(path.stem, [entry.name for entry in path.parent.iterdir()])
    stages = range(len(recipe.stages) or 1)
    return [_stage(path, recipe, files, stage) for stage in stages]


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the STK and TIFF files of a .nd; None when not one is there."""
    folder = main.rpartition("/")[0]
    recipe = read(tree.path(main))
    names = [file.rpartition("/")[2] for file in tree.inside(folder)]
    files = _Files(tree.path(main).stem, names)
    found = {
        name
        for stage in range(len(recipe.stages) or 1)
        for wave in recipe.waves
        for time in range(recipe.times)
        if (name := files.find(recipe, stage, wave, time))
    }
    return {f"{folder}/{name}" if folder else name for name in found} or None


class _Files:
    """The files beside a .nd by what they are called after it, whatever signs a name may not have.

    MetaMorph writes another sign for those of a wave's name that a file's name cannot have, so
    signs are not told apart. Names are looked for in this folder's list and nowhere else.
    """

    def __init__(self, stem: str, names: list[str]) -> None:
        self.stem = stem
        self.found: dict[str, str] = {}
        for name in sorted(names):
            base, dot, suffix = name.rpartition(".")
            if f"{dot}{suffix}".lower() in SUFFIXES and base.lower().startswith(stem.lower()):
                self.found.setdefault(_plain(base[len(stem) :]), name)

    def find(self, recipe: Recipe, stage: int, wave: Wave, time: int) -> str | None:
        """Return the name of the file of a stage, wave and time point, if there is one."""
        tails = (recipe.tail(stage, wave, time, named) for named in (True, False))
        return next((self.found[key] for key in map(_plain, tails) if key in self.found), None)


def _stage(path: Path, recipe: Recipe, files: _Files, stage: int) -> Source:
    where = recipe.stages[stage] if recipe.stages else ""
    pages: dict[Place, Page] = {}
    tags: list[MachineTag] = []
    firsts: dict[int, Path] = {}
    last = 0
    for c, wave in enumerate(recipe.waves):
        for t in range(recipe.times):
            name = files.find(recipe, stage, wave, t)
            if name is None:
                continue
            file = path.with_name(name)
            if file.is_symlink():
                raise BadFile(f"{name!r}, which belongs to it, is a link: copy the file itself")
            firsts.setdefault(c, file)
            last = max(last, t)
            # a wave that was taken at one z belongs to each, as MetaMorph shows it
            pages |= {(t, c, z): Page(file, z if wave.deep else 0) for z in range(recipe.depth)}
    if not pages:
        first = path.stem + recipe.tail(stage, recipe.waves[0], 0)
        raise BadFile(
            f"the file {first[:100]!r} (.stk or .tif), which belongs to it, is missing: upload"
            " them together"
        )
    depth = _cut(pages, recipe.depth)
    flat = [wave.name for wave in recipe.waves if not wave.deep and depth > 1]
    if flat:
        tags.append(("Repeated planes", f"at every z the one plane of: {listed(flat)}", None))
    if last + 1 < recipe.times:
        told = f"t {last + 2} to {recipe.times} of {recipe.times}: stopped before its end"
        tags.append(("Missing time points", told, float(recipe.times - last - 1)))
    planes = Planes((last + 1, len(recipe.waves), depth), pages)
    axes, pixels = planes.pixels()
    made = _described(recipe, firsts, where)
    made.scale["t"] = _interval(recipe, path, files, stage, last)
    size = {"t": last + 1, "c": len(recipe.waves), "z": depth}
    facts = made.facts("tczyx", (*size.values(), *planes.shape[:2]), planes.dtype)
    image = source(replace(facts, tags=(*facts.tags, *tags)), axes, pixels)
    return told_missing(image, planes)


def _cut(pages: dict[Place, Page], depth: int) -> int:
    """Return how many planes the files really have at most; forget those that none has."""
    held = _Held()
    for place, page in list(pages.items()):
        if page.number >= held.of(page.path):
            del pages[place]
    return 1 + max(z for _, _, z in pages) if pages else depth


class _Held:
    """How many planes files hold; one as large as another, and not packed, holds as many."""

    def __init__(self) -> None:
        self.known: dict[Path, int] = {}
        self.like: tuple[int, float, int] | None = None  # bytes, bytes of half a plane, planes

    def of(self, path: Path) -> int:
        """Return the number of planes in a file."""
        if path not in self.known:
            size = path.stat().st_size
            if self.like and abs(size - self.like[0]) < self.like[1]:
                self.known[path] = self.like[2]
            else:
                self.known[path] = self._look(path, size)
        return self.known[path]

    def _look(self, path: Path, size: int) -> int:
        with tifffile.TiffFile(path, is_mmstack=False, is_ome=False) as tiff:
            series = tiff.series[0]
            count = series.shape[0] if tiff.is_stk and len(series.shape) > 2 else len(tiff.pages)
            if series.keyframe.compression == 1:
                self.like = size, series.nbytes / count / 2, count
        return int(count)


def _described(recipe: Recipe, firsts: dict[int, Path], where: str) -> Described:
    told: dict[int, uic.Told] = {}
    for c, file in firsts.items():
        with tifffile.TiffFile(file, is_mmstack=False, is_ome=False) as tiff:
            told[c] = uic.Told(tiff)
    made = told[min(told)].describe()
    made.name = where
    made.taken = uic.date(recipe.start) or made.taken
    made.scale["z"] = recipe.step or made.scale.get("z")
    made.channels = [
        Lit(name=clean(wave.name, 120) or (told[c].channel if c in told else ""))
        for c, wave in enumerate(recipe.waves)
    ]
    made.notes["metamorph.nd"] = recipe.words
    return made


def _interval(recipe: Recipe, path: Path, files: _Files, stage: int, last: int) -> float | None:
    """Return the mean time between two time points of the first wave, in seconds."""
    ends = [files.find(recipe, stage, recipe.waves[0], time) for time in (0, last)]
    if not last or None in ends:
        return None
    taken = []
    for name in ends:
        with tifffile.TiffFile(path.with_name(str(name)), is_mmstack=False, is_ome=False) as tiff:
            taken.append(uic.Told(tiff).taken)
    if taken[0] is None or taken[1] is None:
        return None
    return (taken[1] - taken[0]).total_seconds() / last or None


def _yes(words: dict[str, str], key: str) -> bool:
    return words.get(key, "").upper() == "TRUE"


def _count(words: dict[str, str], key: str) -> int:
    try:
        return max(1, min(MOST + 1, int(words.get(key, "1"))))
    except ValueError:
        raise BadFile(f"the .nd gives a {key} that is no number") from None


def _plain(text: str) -> str:
    return re.sub(r"[^0-9a-z]+", "-", text.lower())
