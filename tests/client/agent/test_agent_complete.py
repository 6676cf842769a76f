"""What is one acquisition, what it waits for, and who still writes to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cid_client.agent import handles
from cid_client.agent.config import Timing, Watch
from cid_client.agent.journal import Journal
from cid_client.agent.rules import Goal
from cid_client.agent.scanning import verdict, walk
from cid_client.agent.units import Unit, look_again

ND = """"NDInfoFile", Version 1.0
"DoStage", TRUE
"NStagePositions", 2
"DoWave", TRUE
"NWavelengths", 2
"WaveName1", "491/conf"
"WaveName2", "wf"
"WaveInFileName", TRUE
"""
UUID = '<TiffData><UUID FileName="{0}"/></TiffData>'


def ome(*names: str) -> str:
    return f"<OME><Image><Pixels>{''.join(map(UUID.format, names))}</Pixels></Image></OME>"


def put(path: Path, text: str | bytes = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def units(folder: Path) -> dict[str, Unit]:
    found = [unit for seen in walk(Watch(folder, acquisitions=("plate *",))) for unit in seen.units]
    return {unit.path.relative_to(folder).as_posix(): unit for unit in found}


def names(unit: Unit) -> list[str]:
    return [part.path for part in unit.parts()]


def tiff(text: str) -> bytes:
    """Return the bones of a TIFF with a description: enough for who reads only that."""
    said = text.encode() + b"\0"
    entry = b"\x0e\x01\x02\x00" + len(said).to_bytes(4, "little") + (26).to_bytes(4, "little")
    return b"II*\0\x08\0\0\0" + b"\x01\0" + entry + bytes(4) + said


def test_an_nd_waits_for_every_file_that_it_lists(tmp_path: Path) -> None:
    put(tmp_path / "a.nd", ND)
    put(tmp_path / "a_w1491-conf_s1.stk")
    assert (
        units(tmp_path)["a.nd"].missing == "the end of a.nd, a_w1491/conf_s2, a_w2wf_s1 and 1 more"
    )
    for name in ("a_w1491-conf_s2.stk", "a_w2wf_s1.TIF", "a_w2wf_s2.TIF", "ab.tif"):
        put(tmp_path / name)
    put(tmp_path / "a.nd", f'{ND}"EndFile"\n')
    found = units(tmp_path)
    assert set(found) == {"a.nd", "ab.tif"}
    assert (found["a.nd"].missing, found["a.nd"].count) == ("", 5)
    assert names(found["a.nd"])[1] == "a_w1491-conf_s1.stk"


@pytest.mark.parametrize(
    ("main", "inside"),
    [("s.vsi", "_s_/stack1/frame_t.ets"), ("s.oif", "s.oif.files/s_C001.tif")],
)
def test_a_main_file_and_its_folder_wait_for_each_other(
    tmp_path: Path, main: str, inside: str
) -> None:
    put(tmp_path / "d" / inside)
    [(path, unit)] = units(tmp_path).items()
    assert (path, unit.missing) == (f"d/{main}", main)
    put(tmp_path / "d" / main)
    [unit] = units(tmp_path).values()
    assert unit.missing == ""
    assert names(unit) == sorted([main, inside])
    (tmp_path / "d" / inside).unlink()
    [unit] = units(tmp_path).values()
    assert "*." in unit.missing


def test_ome_tiffs_that_name_one_another_are_one(tmp_path: Path) -> None:
    put(tmp_path / "a.ome.tif", tiff(ome("a.ome.tif", "b.ome.tif")))
    put(tmp_path / "single.ome.tif", tiff(ome("its name before.ome.tif")))
    put(tmp_path / "damaged.ome.tif", b"II*\0\xff\xff")
    found = units(tmp_path)
    assert set(found) == {"a.ome.tif", "single.ome.tif", "damaged.ome.tif"}
    assert found["a.ome.tif"].missing == "b.ome.tif"
    put(tmp_path / "b.ome.tif", tiff(ome("a.ome.tif", "b.ome.tif")))
    assert names(units(tmp_path)["a.ome.tif"]) == ["a.ome.tif", "b.ome.tif"]
    put(tmp_path / "x.companion.ome", ome("b.ome.tif"))
    assert units(tmp_path)["x.companion.ome"].count == 3


def test_folders_that_are_one_acquisition_are_one(tmp_path: Path) -> None:
    for name in ("c.zarr/0/.zattrs", "c.zarr/zarr.json", "plate 7/a.txt", "ix/p.HTD", "ix/T/a.TIF"):
        put(tmp_path / "day" / name)
    put(tmp_path / "day" / "alone.lif")
    put(tmp_path / "day" / ".hidden")
    (tmp_path / "day" / "empty.zarr").mkdir()
    (tmp_path / "day" / "link").symlink_to(tmp_path / "day" / "ix")
    found = units(tmp_path)
    assert set(found) == {
        f"day/{n}" for n in ("c.zarr", "plate 7", "ix", "alone.lif", "empty.zarr")
    }
    assert names(found["day/c.zarr"]) == ["c.zarr/0/.zattrs", "c.zarr/zarr.json"]
    assert found["day/empty.zarr"].missing
    assert found["day/ix"].folder == "day"


@pytest.mark.parametrize(
    "first",  # what a program writes before anything lists it
    [
        "img_000000000_DAPI_000.tif",
        "img_channel000_position000_time000000000_z000.tif",
        "acq_1_MMStack_Pos0.ome.tif",
        "NDTiff.index",
        "r01c02f03p04-ch1sk1fk1fl1.tiff",
        "MeasurementData.mlf",
    ],
)
def test_an_acquisition_under_way_is_its_folder_from_its_first_file_on(
    tmp_path: Path, first: str
) -> None:
    put(tmp_path / "day/acq" / first)
    before = units(tmp_path)
    assert set(before) == {"day/acq"}
    put(tmp_path / "day/acq/next.tif")
    after = units(tmp_path)
    assert names(after["day/acq"]) == sorted([f"acq/{first}", "acq/next.tif"])
    assert after["day/acq"].signature != before["day/acq"].signature


def test_one_who_writes_is_known_and_one_who_reads_is_none(tmp_path: Path) -> None:
    import subprocess
    import sys

    files = [put(tmp_path / name) for name in ("writes", "reads", "alone")]
    code = "import sys; a, b = open(sys.argv[1], 'ab'), open(sys.argv[2]); print(1, flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}; input()", *map(str, files[:2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "1\n"
        assert handles.written(files) == {files[0]}
        process.communicate("\n")
    assert handles.written(files) == set()


def test_what_is_to_become_of_it(tmp_path: Path) -> None:
    put(tmp_path / "a.oif")
    put(tmp_path / "b.tif")
    found, timing, goal = units(tmp_path), Timing(quiet=5, companions=50), Goal("r", "p")
    waits, whole = found["a.oif"], found["b.tif"]
    assert verdict(None, "no rule", whole, 99, timing, set()).state == "quarantined"
    assert verdict(goal, "", waits, 49, timing, set()).reason == "waits for a.oif.files/*.tif"
    assert verdict(goal, "", waits, 51, timing, set()).state == "quarantined"
    assert verdict(goal, "", whole, 4, timing, set()).state == "growing"
    assert verdict(goal, "", whole, 6, timing, {tmp_path / "b.tif"}).state == "growing"
    assert verdict(goal, "", whole, 6, timing, set()).state == "complete"


def test_a_folder_that_cannot_be_read_is_told_and_ends_nothing(tmp_path: Path) -> None:
    put(tmp_path / "a.tif")
    (tmp_path / "b").mkdir()
    seen = list(walk(Watch(tmp_path / "absent")))
    assert [(one.units, bool(one.problem)) for one in seen] == [([], True)]
    assert [len(one.units) for one in walk(Watch(tmp_path))] == [1, 0]


def test_the_journal_keeps_what_was_verified_when_a_file_changes(tmp_path: Path) -> None:
    file = put(tmp_path / "data" / "a.tif")
    watch = Watch(tmp_path / "data")
    journal = Journal(tmp_path / "journal.sqlite")

    def seen(now: float) -> tuple[int, str]:
        unit = look_again(file, watch)
        assert unit is not None
        row = journal.see(unit, journal.of_folder(file.parent).get(str(file)), now)
        return row.id, row.state

    first, state = seen(1)
    assert state == "seen"
    put(file, "xy")
    assert seen(2) == (first, "growing")
    row = journal.of_folder(file.parent)[str(file)]
    assert row.since == 2
    assert not journal.move(row, "verified", 3, frm=("complete",))
    assert journal.move(row, "verified", 3)
    assert seen(4) == (first, "verified")
    put(file, "xyz")
    second, state = seen(5)
    assert (second > first, state) == (True, "seen")
    journal.leave(row)
    assert {state: n for state, (n, _) in journal.counts().items() if n} == {
        "seen": 1,
        "verified": 1,
    }
    journal.close()


def test_the_same_bytes_are_on_their_way_once(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "data")
    journal = Journal(tmp_path / "journal.sqlite")
    rows = []
    for name in ("a", "b"):
        unit = look_again(put(watch.folder / name), watch)
        assert unit is not None
        row = journal.see(unit, None, 1)
        journal.move(row, "hashed", 2, sha256="5", goal="{}")
        rows.append(journal.of_folder(watch.folder)[row.path])
    assert [journal.begin(row, 3) for row in rows] == [True, False]
    due = journal.due(9, ())
    assert due is not None
    assert due.id == rows[0].id
    assert journal.due(9, {rows[0].id}) is None
    journal.move(rows[0], "verified", 4, frm=("uploading",))
    due = journal.due(9, ())
    assert due is not None
    assert due.id == rows[1].id
    assert journal.begin(rows[1], 5)
    journal.close()
