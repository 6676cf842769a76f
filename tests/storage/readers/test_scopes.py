"""TIFFs as programs of microscopes and slide scanners write them, made up, with what they say."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cid_server_ext.storage.readers import open_images

BYTES, TEXT = 7, 2  # types of a TIFF tag


def plane(seed: int = 0, shape: tuple[int, ...] = (32, 48)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, shape, dtype=np.uint8)


def told(image) -> dict[str, str]:
    return {key: text for key, text, _ in image.tags}


def test_qptiff_is_its_stains_without_thumbnail_macro_and_label(tmp_path: Path, only) -> None:
    def page(name: str, colour: str) -> str:
        return (
            "<PerkinElmer-QPI-ImageDescription><AcquisitionSoftware>PhenoptixScanner"
            "</AcquisitionSoftware><SlideID>Smith 1950</SlideID><Barcode>99</Barcode>"
            f"<Name>{name}</Name><Color>{colour}</Color><Objective>20x</Objective>"
            "</PerkinElmer-QPI-ImageDescription>"
        )

    stains = [("DAPI", "0,0,255"), ("CD8", "255,255,0")]
    how = {"software": "PerkinElmer-QPI", "metadata": None, "tile": (16, 16)}
    how |= {"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}
    with tifffile.TiffWriter(tmp_path / "x.qptiff") as file:
        for at, stain in enumerate(stains):
            file.write(plane(at, (64, 96)), description=page(*stain), **how)
        file.write(plane(9, (20, 20, 3)), photometric="rgb", description=page("", ""), **how)
        for at, stain in enumerate(stains):
            file.write(plane(at, (64, 96))[::2, ::2], description=page(*stain), **how)
        for seed in (11, 12):  # macro, label
            file.write(plane(seed, (20, 24, 3)), photometric="rgb", description=page("", ""), **how)
    image = only(tmp_path / "x.qptiff")
    assert (image.axes, image.shape) == ("cyx", (2, 64, 96))
    assert (image.array.compute() == [plane(0, (64, 96)), plane(1, (64, 96))]).all()
    assert image.scale == {"y": 0.5, "x": 0.5}
    assert image.channels == (
        {"name": "DAPI", "color": "0000FF"},
        {"name": "CD8", "color": "FFFF00"},
    )
    assert told(image) == {"Acquisition software": "PhenoptixScanner", "Objective": "20x"}
    assert "Smith" not in str(image.ome_xml)


def test_scn_is_its_scans_without_the_picture_of_the_whole_slide(tmp_path: Path, refused) -> None:
    def image(name: str, ifd: int, size: int, view: str) -> str:
        return (
            f'<image name="{name}"><creationDate>2011-01-13T09:08:07.5</creationDate>'
            '<device model="Leica SCN400;Leica SCN" version="1.4"/>'
            f'<pixels sizeX="{size}" sizeY="{size}"><dimension sizeX="{size}" sizeY="{size}"'
            f' r="0" ifd="{ifd}"/></pixels>{view}<scanSettings><objectiveSettings><objective>20'
            "</objective></objectiveSettings></scanSettings></image>"
        )

    wide = '<view sizeX="26000000" sizeY="76000000" offsetX="0" offsetY="0" spacingZ="0"/>'
    near = '<view sizeX="16000" sizeY="16000" offsetX="9" offsetY="9" spacingZ="0"/>'
    start = '<scn xmlns="http://www.leica"><collection name="c" sizeX="26000000" sizeY="76000000">'
    start += "<barcode>TWlsbGVyIDE5NTA=</barcode>"

    def write(path: Path, images: str) -> None:
        with tifffile.TiffWriter(path) as file:
            for at, size in enumerate((16, 32)):
                text = f"{start}{images}</collection></scn>" if at == 0 else None
                file.write(
                    plane(at, (size, size, 3)), photometric="rgb", description=text, metadata=None
                )

    overview = image("image_0", 0, 16, wide)
    write(tmp_path / "x.scn", overview + image("image_1", 1, 32, near))
    (scan,) = open_images(tmp_path / "x.scn")
    assert (scan.axes, scan.shape) == ("cyx", (3, 32, 32))
    assert (scan.array.compute() == plane(1, (32, 32, 3)).transpose(2, 0, 1)).all()
    assert scan.scale == {"y": 0.5, "x": 0.5}
    assert told(scan) == {
        "Acquisition software": "1.4",
        "Acquisition date": "2011-01-13T09:08:07.500000",
        "Microscope": "Leica Leica SCN400",
        "Objective": "20x",
    }
    assert "TWlsb" not in str(scan.ome_xml)
    write(tmp_path / "y.scn", overview)
    assert "name a patient" in refused(tmp_path / "y.scn")


def test_a_slide_of_which_only_the_label_is_left_is_refused(tmp_path: Path, refused) -> None:
    how = {"software": "ScanOutputManager 1.1", "description": "Label_Image", "metadata": None}
    extra = [(700, BYTES, 8, b"<iScan/>", True)]  # as Ventana writes it
    tifffile.imwrite(
        tmp_path / "x.bif", plane(1, (20, 24, 3)), photometric="rgb", extratags=extra, **how
    )
    assert "name a patient" in refused(tmp_path / "x.bif")


def test_electron_microscopes_tell_the_size_of_a_pixel(tmp_path: Path, only) -> None:
    zeiss = (
        "\r\n0\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 7.5 nm\r\nDP_DETECTOR_CHANNEL\r\n"
        "Signal A = InLens\r\nAP_DATE\r\nDate :9 Apr 2015\r\nAP_TIME\r\nTime :16:06:07\r\n"
    ).encode("latin-1")
    fei = (
        b"[User]\r\nDate=10/27/2016\r\nTime=01:16:51 PM\r\nUser=someone\r\n[System]\r\n"
        b"SystemType=Helios\r\nSoftware=7.6\r\n[Scan]\r\nPixelWidth=7.5e-009\r\n"
        b"PixelHeight=8e-009\r\n[Detectors]\r\nName=ETD\r\n"
    )
    for code, text in ((34118, zeiss), (34682, fei)):
        extra = [(code, TEXT, len(text) + 1, text.decode(), True)]
        tifffile.imwrite(tmp_path / f"{code}.tif", plane(), extratags=extra, metadata=None)
    image = only(tmp_path / "34118.tif")
    assert image.scale == {"y": 0.0075, "x": 0.0075}
    assert told(image) == {
        "Microscope": "Zeiss SEM",
        "Tube/Detector": "InLens",
        "Acquisition date": "2015-04-09T16:06:07",
    }
    image = only(tmp_path / "34682.tif")
    assert image.scale == {"y": 0.008, "x": 0.0075}
    assert told(image) == {
        "Acquisition software": "7.6",
        "Acquisition date": "2016-10-27T13:16:51",
        "Microscope": "FEI Helios",
        "Tube/Detector": "ETD",
        "User": "someone",
    }


def test_fluoview_tells_its_axes(tmp_path: Path, only) -> None:
    def axis(name: str, size: int, step: float, unit: str) -> bytes:
        return struct.pack("<16si2d64s", name.encode(), size, 0.0, step, unit.encode())

    axes = axis("X", 48, 0.25, "um") + axis("Y", 32, 0.25, "um") + axis("Z", 3, 2.0, "um")
    axes += axis("Ch", 2, 0, "") + bytes(96) * 6
    head = struct.pack("<hB257sIiIIiI", 0, 0, b"x", 0, 0, 0, 0, 0, 0) + axes
    head += bytes(4 + 2 + 32 + 4 + 16 + 96 + 12)
    pixels = plane(3, (2, 3, 32, 48))
    extra = [(34361, BYTES, len(head), head, True), (34362, BYTES, 64, bytes(64), True)]
    tifffile.imwrite(
        tmp_path / "x.tif", pixels, extratags=extra, metadata=None, photometric="minisblack"
    )
    image = only(tmp_path / "x.tif")
    assert (image.axes, image.shape) == ("czyx", (2, 3, 32, 48))
    assert image.scale == {"z": 2.0, "y": 0.25, "x": 0.25}
    assert (image.array.compute() == pixels).all()


def test_cellsens_tells_the_size_of_a_pixel_and_the_objective(tmp_path: Path, only) -> None:
    head = struct.pack("<4s6xhhhhh6x32sH", b"SIS0", 8, 9, 27, 9, 116, b"x", 1)
    extra = [(33560, BYTES, 68, head + struct.pack("<hhI", 1, 1, 0), True)]
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, plane(), extratags=extra, metadata=None)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"SIS0") + 64, len(data))
    said = struct.pack("<10xhdd8xd2x34s32s", -6, 0.25, 0.25, 40.0, b"XM10", b"")
    path.write_bytes(data + said + bytes(16))
    image = only(path)
    assert image.scale == {"y": 0.25, "x": 0.25}
    assert told(image)["Objective"] == "40x"
    assert told(image)["Tube/Detector"] == "XM10"
    assert told(image)["Acquisition date"].startswith("2016-10-27T09:08")


@pytest.fixture
def scanning(monkeypatch):
    """Make every ScanImage file say this."""

    def scanning(**said) -> None:
        told = {"FrameData": {f"SI.{key.replace('__', '.')}": value for key, value in said.items()}}
        monkeypatch.setattr(tifffile.TiffFile, "scanimage_metadata", told)

    return scanning


def write_scan(path: Path, pixels: np.ndarray) -> None:
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for page in pixels:
            file.write(
                page,
                software="SI.LINE_FORMAT_VERSION = 1",
                description="epoch = [2017 3 4 5 6 7.5]",
                metadata=None,
                resolution=(10000, 10000),
                resolutionunit="CENTIMETER",
            )


def test_scanimage_tells_its_frames_and_channels(tmp_path: Path, only, scanning) -> None:
    scanning(
        hChannels__channelSave=[1, 3],
        hChannels__channelName=["green", "red", "far"],
        hStackManager__framesPerSlice=4,
        hRoiManager__scanFrameRate=20.0,
        VERSION_MAJOR="2016",
        VERSION_MINOR="0",
    )
    pixels = plane(5, (8, 32, 48))
    write_scan(tmp_path / "x.tif", pixels)
    image = only(tmp_path / "x.tif")
    assert (image.axes, image.shape) == ("tcyx", (4, 2, 32, 48))
    assert (image.array.compute() == pixels.reshape(4, 2, 32, 48)).all()
    assert image.scale == {"t": 0.05, "y": 1.0, "x": 1.0}
    assert [channel["name"] for channel in image.channels] == ["green", "far"]
    assert told(image)["Acquisition software"] == "ScanImage 2016.0"
    assert told(image)["Acquisition date"] == "2017-03-04T05:06:07"


def test_a_scan_that_was_stopped_is_not_filled_up_with_black(
    tmp_path: Path, refused, scanning
) -> None:
    scanning(hChannels__channelSave=1, hStackManager__framesPerSlice=10)
    write_scan(tmp_path / "x.tif", plane(5, (8, 32, 48)))
    assert "promises 10 planes and holds 8" in refused(tmp_path / "x.tif")
