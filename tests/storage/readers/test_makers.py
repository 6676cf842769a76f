"""What microscope makers write into their TIFFs is read, but never who the patient was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ome_types
import tifffile

from cid_server_ext.storage.readers.source import Source


def told(image: Source) -> dict[str, tuple[str, float | None]]:
    return {key: (text, number) for key, text, number in image.tags}


def test_lsm_is_a_lambda_stack_with_its_bands_and_optics(real: Path, only) -> None:
    path = real / "formats/lsm/spectral_5dyes_mixture.lsm"
    image = only(path)
    assert (image.axes, image.shape, image.dtype) == ("cyx", (28, 256, 256), np.uint8)
    assert image.scale == {"y": 0.131788225549816, "x": 0.131788225549816} or (
        round(image.scale["x"], 9) == 0.131788226
    )
    assert [channel["name"] for channel in image.channels] == [
        str(band) for band in range(423, 694, 10)
    ]
    assert image.channels[0]["emission"] == "422.8"
    assert told(image) == {
        "Acquisition date": ("2022-03-28T13:29:19", None),
        "User": ("ubaguest", None),
        "Microscope": ("Zeiss LSM", None),
        "Objective": ("Plan-Apochromat 63x/1.4 Oil DIC M27", 63.0),
        "Lasers": ("HeNe633; DPSS 561-10; Diode 405-30; ArgonRemote", None),
        "Filters": ("MBS 488/561/633; MBS -405", None),
        "Tube/Detector": ("PmtSPI1", None),
    }
    assert set(image.unknown) == {"Acquisition software"}
    with tifffile.TiffFile(path) as file:
        assert (image.array.compute() == file.series[0].asarray()).all()


def test_svs_is_read_without_the_picture_of_its_label(real: Path, only) -> None:
    path = real / "formats/slide/CMU-1-Small-Region.svs"
    image = only(path)
    assert (image.axes, image.shape) == ("cyx", (3, 2967, 2220))
    assert image.scale == {"y": 0.499, "x": 0.499}
    assert told(image) == {
        "Acquisition software": ("Aperio Image Library v11.2.1", None),
        "Acquisition date": ("2009-12-29T09:59:15", None),
        "Microscope": ("Aperio CPAPERIOCS", None),
        "Objective": ("20x", 20.0),
    }
    with tifffile.TiffFile(path) as file:
        expected = file.series[0].asarray().transpose(2, 0, 1)
    assert (image.array[:, 900:1300, 700:].compute() == expected[:, 900:1300, 700:]).all()
    assert "b414003d" not in str(image.ome_xml), "the person who scanned it"


def test_ndpi_is_read_without_its_macro_picture(real: Path, only) -> None:
    image = only(real / "formats/slide/test3-DAPI-2-(387).ndpi")
    assert (image.axes, image.shape) == ("cyx", (3, 4864, 3968))
    assert round(image.scale["x"], 6) == 0.228175
    assert told(image) == {
        "Acquisition software": ("NDP.scan 2.5.89", None),
        "Acquisition date": ("2017-02-07T13:06:43", None),
        "Microscope": ("Hamamatsu C9600-12", None),
        "Objective": ("40x", 40.0),
        "Filters": ("DAPI 2 (387)", None),
    }


def test_a_slide_names_no_patient_in_its_metadata(real: Path, tmp_path: Path, only) -> None:
    text = (
        "Aperio Image Library v1\n40x40 (20x20)|AppMag = 40|MPP = 0.25|Title = Anna|Barcode = 77"
        "|Patient = Anna|User = bob|Filename = Anna.svs|Date = 01/02/2020|Time = 10:00:00"
    )
    path = tmp_path / "x.svs"
    tifffile.imwrite(
        path, np.zeros((40, 40, 3), np.uint8), tile=(16, 16), description=text, metadata=None,
        photometric="rgb",
    )  # fmt: skip
    image = only(path)
    assert told(image)["Objective"] == ("40x", 40.0)
    assert image.scale == {"y": 0.25, "x": 0.25}
    said = f"{image.ome_xml} {image.tags} {image.name}"
    assert not any(word in said for word in ("Anna", "77", "bob"))


def test_label_pictures_in_a_converted_slide_are_left_out(tmp_path: Path, only, refused) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    with tifffile.TiffWriter(tmp_path / "x.ome.tif") as file:
        for name in ("label image", "the slide", "macro image"):
            value = pixels if name == "the slide" else 0 * pixels
            file.write(value, metadata={"axes": "YX", "Name": name})
    image = only(tmp_path / "x.ome.tif")
    assert image.name == "the slide"
    assert (image.array.compute() == pixels).all()
    tifffile.imwrite(tmp_path / "y.ome.tif", pixels, metadata={"axes": "YX", "Name": "label image"})
    assert "patient" in refused(tmp_path / "y.ome.tif")


def test_the_model_of_each_is_sound(real: Path, only) -> None:
    """The sidecar can be read again, and says what the catalog says."""
    for name in ("lsm/spectral_5dyes_mixture.lsm", "slide/CMU-1-Small-Region.svs"):
        image = only(real / "formats" / name)
        pixels = ome_types.from_xml(str(image.ome_xml)).images[0].pixels
        size = dict(zip(image.axes, image.shape, strict=True))
        assert (pixels.size_x, pixels.size_y, pixels.size_c) == (size["x"], size["y"], size["c"])
        assert pixels.physical_size_x == image.scale["x"]
