"""The journal on storage: only ever added to, and every damage is told exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cid_server_ext.errors import Conflict
from cid_server_ext.storage.journal import Damage, Line, Pen, is_written, read, segments


def entry(number: int) -> dict:
    return {"id": number, "person": "é", "rows": [], "detail": {"x": 0.1, "half": "\ud800"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal of ten lines, three to a segment."""
    pen = Pen(tmp_path / "journal", segment_bytes=600)
    for number in range(1, 11):
        pen.add([entry(number)])
    pen.close()
    return tmp_path / "journal"


def parts(folder: Path) -> tuple[list[int], list[Damage]]:
    found = list(read(folder))
    lines = [each.id for each in found if isinstance(each, Line)]
    return lines, [each for each in found if isinstance(each, Damage)]


def change(path: Path, line: int, how: Callable[[bytes], bytes]) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line - 1] = how(lines[line - 1])
    path.write_bytes(b"".join(lines))


def test_what_was_added_is_read_in_order(folder: Path) -> None:
    assert parts(folder) == (list(range(1, 11)), [])
    assert len(segments(folder)) > 2
    assert [path.stem for path in segments(folder)][:2] == ["000000000001", "000000000004"]
    first = next(iter(read(folder)))
    assert first.entry["detail"] == entry(1)["detail"]


def test_lines_are_plain_json_with_sorted_keys(folder: Path) -> None:
    raw = segments(folder)[0].read_bytes().splitlines()[0]
    told = json.loads(raw)
    assert list(told) == sorted(told)
    assert set(told) == {*entry(1), "previous", "sha256"}


def test_one_flipped_bit_is_told_as_that_line(folder: Path) -> None:
    for line in (1, 2, 3):
        change(segments(folder)[1], line, lambda raw: raw.replace(b'"rows"', b'"rowt"'))
        lines, [damage] = parts(folder)
        assert lines == [n for n in range(1, 11) if n != line + 3]
        assert (damage.segment, damage.number) == ("000000000004.jsonl", line)
        assert (damage.kind, damage.first, damage.last) == ("damaged", line + 3, line + 3)
        change(segments(folder)[1], line, lambda raw: raw.replace(b'"rowt"', b'"rows"'))


def test_a_line_that_is_no_json_is_damaged(folder: Path) -> None:
    change(segments(folder)[0], 2, lambda raw: b"\xff" + raw[1:])
    _, [damage] = parts(folder)
    assert (damage.number, damage.reason) == (2, "it is not JSON")


def test_a_line_that_is_gone_is_missing(folder: Path) -> None:
    change(segments(folder)[1], 2, lambda raw: b"")
    lines, [damage] = parts(folder)
    assert 5 not in lines
    assert (damage.kind, damage.first, damage.last) == ("missing", 5, 5)


def test_a_segment_that_is_gone_is_missing(folder: Path) -> None:
    segments(folder)[1].unlink()
    lines, [damage] = parts(folder)
    assert lines == [1, 2, 3, 7, 8, 9, 10]
    assert (damage.kind, damage.first, damage.last) == ("missing", 4, 6)


def test_an_end_that_is_gone_is_missing(folder: Path) -> None:
    segments(folder)[-1].unlink()
    lines, [damage] = parts(folder)
    assert (damage.kind, damage.first, damage.last) == ("missing", lines[-1] + 1, 10)


def test_two_damaged_lines_in_a_row_are_two(folder: Path) -> None:
    for line in (1, 2):
        change(segments(folder)[0], line, lambda raw: raw.replace(b'"rows"', b'"rowt"'))
    _, found = parts(folder)
    assert [(d.number, d.first, d.last) for d in found] == [(1, 1, 2), (2, 1, 2)]


def test_a_line_cut_off_by_a_kill_is_cut_and_written_again(folder: Path) -> None:
    last = segments(folder)[-1]
    last.write_bytes(last.read_bytes()[:-40])
    lines, [damage] = parts(folder)
    assert (lines[-1], damage.kind, damage.first) == (9, "torn", 10)
    pen = Pen(folder)
    assert pen.last.id == 9
    pen.add([entry(10), entry(11)])
    pen.close()
    assert parts(folder) == (list(range(1, 12)), [])


def test_writing_goes_on_after_a_damaged_last_line(folder: Path) -> None:
    last = segments(folder)[-1]
    last.write_bytes(last.read_bytes().replace(b'"rows"', b'"rowt"'))
    pen = Pen(folder)
    pen.add([entry(10), entry(11)])
    pen.close()
    lines, [damage] = parts(folder)
    assert lines == list(range(1, 12))
    assert (damage.kind, damage.first) == ("damaged", None)  # nothing is lost by it


def test_a_lost_head_is_made_again_by_who_takes_the_pen_up(folder: Path) -> None:
    (folder / "head.json").unlink()
    assert [damage.kind for damage in parts(folder)[1]] == ["damaged"]
    Pen(folder).close()
    assert parts(folder) == (list(range(1, 11)), [])


def test_one_process_at_a_time_holds_the_pen(folder: Path) -> None:
    pen = Pen(folder)
    assert is_written(folder)
    with pytest.raises(Conflict, match="another process writes"):
        Pen(folder)
    pen.close()
    assert not is_written(folder)
    Pen(folder).close()


def test_a_folder_without_a_journal_has_no_lines(tmp_path: Path) -> None:
    assert list(read(tmp_path / "journal")) == []
    assert not is_written(tmp_path / "journal")
