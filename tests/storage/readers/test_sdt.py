"""SDT: photon counts by time bin and detector, plain and packed; damage is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sdtfile import sdtfile

from cid_server_ext.storage.readers import open_images
from cid_server_ext.storage.readers.flim import sdt

RANDOM = np.random.default_rng(4)
INFO = (
    b"*IDENTIFICATION\r\n  ID : SPC Setup & Data File\r\n  Title : t\r\n  Date : 06-29-2017\r\n"
    b"  Time : 12:29:01\r\n  Author : a.b\r\n  Software : SPCM 9.8\r\n*END\r\n\r\n"
)


def write(path: Path, blocks: list[np.ndarray], kind: int = 0x61, packed: bool = False) -> Path:
    """Write an SDT of image blocks (y, x, bins), or curves (bins)."""
    header = np.zeros(1, np.dtype(sdtfile.FILE_HEADER).newbyteorder("<"))[0]
    measured = np.zeros(1, np.dtype(sdtfile.MEASURE_INFO).newbyteorder("<"))[0]
    place = header.nbytes + len(INFO)
    header["revision"] = (0x28 << 4) | 15
    header["info_offs"], header["info_length"] = header.nbytes, len(INFO)
    header["meas_desc_block_offs"] = place
    header["no_of_meas_desc_blocks"] = len(blocks)
    header["meas_desc_block_length"] = measured.nbytes
    header["no_of_data_blocks"] = len(blocks)
    header["header_valid"], header["chksum"] = 0x5555, 0x55AA
    place += measured.nbytes * len(blocks)
    header["data_block_offs"] = place
    measures, bodies = b"", b""
    for number, counts in enumerate(blocks):
        measured["adc_re"], measured["tac_r"], measured["tac_g"] = counts.shape[-1], 5e-8, 4
        measured["minfo_ext"]["lens_name"] = b"Plan Apo 40x"
        measured["minfo_ext"]["scope_name"] = b"Stand"
        if counts.ndim == 3:
            measured["scan_y"], measured["scan_x"] = counts.shape[:2]
            measured["scan_rx"] = measured["scan_ry"] = 1
        measures += measured.tobytes()
        data = counts.astype("<u2").tobytes()
        if packed:
            held = io.BytesIO()
            with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("data_block", data)
            data = held.getvalue()
        head = np.zeros(1, np.dtype(sdtfile.BLOCK_HEADER).newbyteorder("<"))[0]
        head["data_offs"] = place + head.nbytes
        head["next_block_offs"] = place + head.nbytes + len(data)
        head["block_type"] = kind | (0x1000 if packed else 0)
        head["meas_desc_block_no"], head["lblock_no"] = number, number
        head["block_length"] = counts.size * 2
        bodies += head.tobytes() + data
        place += head.nbytes + len(data)
    path.write_bytes(header.tobytes() + INFO + measures + bodies)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_time_bins_are_channels(tmp_path: Path, packed: bool) -> None:
    counts = RANDOM.integers(0, 500, (6, 7, 16), dtype=np.uint16)
    path = write(tmp_path / "a.sdt", [counts], packed=packed)
    (image,) = open_images(path)
    assert (image.axes, image.shape, image.dtype) == ("cyx", (16, 6, 7), np.uint16)
    assert (image.array.compute() == np.moveaxis(counts, -1, 0)).all()
    with sdtfile.SdtFile(path) as file:
        assert (image.array.compute() == np.moveaxis(file.data[0], -1, 0)).all()
    assert [one["name"] for one in image.channels][:3] == ["0.00 ns", "0.78 ns", "1.56 ns"]


def test_detectors_are_named_before_their_bins(tmp_path: Path) -> None:
    blocks = [RANDOM.integers(0, 500, (6, 7, 4), dtype=np.uint16) for _ in range(2)]
    (image,) = open_images(write(tmp_path / "a.sdt", blocks))
    whole = np.concatenate([np.moveaxis(one, -1, 0) for one in blocks])
    assert (image.array.compute() == whole).all()
    names = [one["name"] for one in image.channels]
    assert (names[0], names[4]) == ("Channel 1 0.00 ns", "Channel 2 0.00 ns")


def test_more_bins_than_channels_should_be_make_an_image_of_each_detector(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(sdt, "MOST_CHANNELS", 5)
    blocks = [RANDOM.integers(0, 500, (6, 7, 4), dtype=np.uint16) for _ in range(2)]
    images = open_images(write(tmp_path / "a.sdt", blocks))
    assert [one.name for one in images] == ["detector 1", "detector 2"]
    assert (images[1].array[3].compute() == blocks[1][..., 3]).all()


def test_what_spcm_says_is_told(tmp_path: Path) -> None:
    (image,) = open_images(write(tmp_path / "a.sdt", [np.ones((6, 7, 4), np.uint16)]))
    told = {key: text for key, text, _ in image.tags}
    assert told["Acquisition date"] == "2017-06-29T12:29:01"
    assert told["Acquisition software"] == "SPCM 9.8"
    assert told["Objective"] == "Plan Apo 40x"
    assert told["Microscope"] == "Stand"
    assert told["Tube/Detector"] == "SPC-150 TCSPC"
    assert told["User"] == "a.b"


def test_curves_are_no_image(tmp_path: Path, refused) -> None:
    assert "curves" in refused(write(tmp_path / "a.sdt", [np.ones(64, np.uint16)], kind=0x01))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("tenths", range(10))
def test_an_sdt_cut_anywhere_is_refused(tmp_path: Path, packed: bool, tenths: int, refused) -> None:
    counts = RANDOM.integers(0, 500, (20, 30, 16), dtype=np.uint16)
    path = write(tmp_path / "a.sdt", [counts], packed=packed)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * tenths // 10 + 43])
    refused(path)


def test_blocks_that_lead_in_a_circle_are_refused(tmp_path: Path, refused) -> None:
    path = write(tmp_path / "a.sdt", [np.ones((6, 7, 4), np.uint16)] * 2)
    data = bytearray(path.read_bytes())
    header = np.frombuffer(bytes(data[:42]), np.dtype(sdtfile.FILE_HEADER).newbyteorder("<"))[0]
    first = int(header["data_block_offs"])
    data[first + 6 : first + 10] = first.to_bytes(4, "little")
    path.write_bytes(data)
    assert "circle" in refused(path)
