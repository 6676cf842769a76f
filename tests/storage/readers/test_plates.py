"""Plates that a list describes: one image for each field, whichever maker wrote the list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cid_server_ext.storage.readers import open_images, sort

BTS = 'xmlns:bts="http://www.yokogawa.co.jp/BTS/BTSSchema/1.0"'
PLACES = [(t, c, z) for t in (1, 2) for c in (1, 2) for z in (1, 2, 3) if c == 1 or z == 1]
Write = Callable[[Path], Path]


def save(path: Path, t: int, c: int, z: int, field: int) -> None:
    tifffile.imwrite(path, np.full((8, 9), 1000 * t + 100 * c + 10 * z + field, np.uint16))


def cellvoyager(folder: Path) -> Path:
    """Two fields of D08: a wave at three z, another at one, at two times."""
    records = ""
    for field in (1, 2):
        for t, c, z in PLACES:
            name = f"exp_D08_T{t:04d}F{field:03d}L01A{c:02d}Z{z:02d}C{c:02d}.tif"
            save(folder / name, t, c, z, field)
            records += (
                f'<bts:MeasurementRecord bts:Type="IMG" bts:Time="2023-09-18T13:{t:02d}:00+02:00"'
                f' bts:Column="8" bts:Row="4" bts:TimePoint="{t}" bts:FieldIndex="{field}"'
                f' bts:ZIndex="{z}" bts:TimelineIndex="1" bts:ActionIndex="{c}"'
                f' bts:Z="{2.5 * (z - 1)}" bts:Ch="{c}">{name}</bts:MeasurementRecord>\n'
            )
    records += '<bts:MeasurementRecord bts:Type="ERR" bts:Ch="1">failed</bts:MeasurementRecord>'
    start = '<?xml version="1.0" encoding="utf-8"?>\r\n'
    (folder / "MeasurementDetail.mrf").write_text(
        f'\ufeff{start}<bts:MeasurementDetail bts:OperatorName="an operator" bts:Title="my plate"'
        ' bts:BeginTime="2023-09-18T13:00:00+02:00" bts:MeasurementSettingFileName="a.mes"'
        f' bts:TargetSystem="CV8000" bts:ReleaseNumber="R2" {BTS}><bts:MeasurementChannel'
        ' bts:Ch="1" bts:HorizontalPixelDimension="0.5" bts:VerticalPixelDimension="0.5"/>'
        "</bts:MeasurementDetail>"
    )
    (folder / "a.mes").write_text(
        f"{start}<bts:MeasurementSetting {BTS}><bts:LightSourceList><bts:LightSource"
        ' bts:Name="405nm" bts:Type="Laser" bts:WaveLength="405"/></bts:LightSourceList>'
        '<bts:ChannelList><bts:Channel bts:Ch="1" bts:Objective="20x v2" bts:Magnification="20"'
        ' bts:Acquisition="BP445/45" bts:Color="#FF0000FF"><bts:LightSourceName>405nm'
        "</bts:LightSourceName></bts:Channel></bts:ChannelList></bts:MeasurementSetting>"
    )
    (folder / "DC_camera.tif").write_bytes(b"a dark field")
    path = folder / "MeasurementData.mlf"
    path.write_text(f"{start}<bts:MeasurementData {BTS}>\n{records}</bts:MeasurementData>")
    return path


def harmony(folder: Path) -> Path:
    """The same of D08, as Harmony writes it."""
    images = ""
    for field in (1, 2):
        for t, c, z in PLACES:
            name = f"r04c08f{field:02d}p{z:02d}-ch{c}sk{t}fk1fl1.tiff"
            save(folder / name, t, c, z, field)
            images += (
                f'<Image Version="1"><id>{name}</id><State>Ok</State><URL>{name}</URL><Row>4</Row>'
                f"<Col>8</Col><FieldID>{field}</FieldID><PlaneID>{z}</PlaneID>"
                f"<TimepointID>{t - 1}</TimepointID><ChannelID>{c}</ChannelID>"
                f'<PositionZ Unit="m">{2.5e-6 * (z - 1) - 2.5e-6:g}</PositionZ>'
                f"<AbsTime>2023-09-18T13:{t:02d}:00.0000000+02:00</AbsTime></Image>\n"
            )
    images += "<Image><id>failed</id><State>Failed</State><URL/></Image>"
    entries = "".join(
        f'<Entry ChannelID="{c}"><ChannelName>{name}</ChannelName><MainExcitationWavelength'
        f' Unit="nm">{wave}</MainExcitationWavelength><MainEmissionWavelength Unit="nm">{wave + 40}'
        '</MainEmissionWavelength><ImageResolutionX Unit="m">5E-07</ImageResolutionX>'
        '<ImageResolutionY Unit="m">5E-07</ImageResolutionY><ObjectiveMagnification>20'
        "</ObjectiveMagnification><ObjectiveNA>0.4</ObjectiveNA><CameraType>Zyla</CameraType>"
        "</Entry>"
        for c, name, wave in ((1, "DAPI", 405), (2, "GFP", 488))
    )
    path = folder / "Index.idx.xml"
    path.write_text(
        '\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<EvaluationInputData'
        ' xmlns="http://www.perkinelmer.com/PEHH/HarmonyV5" Version="1"><User>an operator</User>'
        "<InstrumentType>Phenix</InstrumentType><Plates><Plate><PlateID>1</PlateID><Name>my plate"
        "</Name><MeasurementStartTime>2023-09-18T13:00:00+02:00</MeasurementStartTime></Plate>"
        f"</Plates><Maps><Map>{entries}</Map></Maps><Images>{images}</Images>"
        "</EvaluationInputData>"
    )
    return path


@pytest.fixture(params=[cellvoyager, harmony], ids=lambda write: write.__name__)
def write(request: pytest.FixtureRequest) -> Write:
    return request.param


def told(image) -> dict[str, str]:
    return {key: text for key, text, _ in image.tags}


def test_every_plane_has_its_place_and_one_z_is_shown_at_each(tmp_path: Path, write: Write) -> None:
    images = open_images(write(tmp_path))
    assert [image.name for image in images] == ["D08 f1", "D08 f2"]
    for field, image in enumerate(images, 1):
        assert (image.axes, image.shape) == ("tczyx", (2, 2, 3, 8, 9))
        found = image.array.compute()[..., 0, 0]
        for t, c, z in np.ndindex(2, 2, 3):
            step = z + 1 if c == 0 else 1
            assert found[t, c, z] == 1000 * (t + 1) + 100 * (c + 1) + 10 * step + field
        assert image.scale == {"t": 60.0, "z": 2.5, "y": 0.5, "x": 0.5}
        said = told(image)
        assert said.items() >= {"Plate": "my plate", "Well": "D08", "Field": str(field)}.items()
        assert said["Acquisition date"] == "2023-09-18T13:01:00+02:00"
        assert said["User"] == "an operator"
        assert "Repeated planes" in said


def test_what_the_makers_say_of_optics_is_read(tmp_path: Path) -> None:
    image = open_images(cellvoyager(tmp_path))[0]
    assert image.channels == (
        {"name": "BP445/45", "color": "0000FF", "excitation": "405", "emission": "445"},
        {"name": "Ch 2"},
    )
    said = told(image)
    assert (said["Microscope"], said["Lasers"]) == ("Yokogawa CV8000", "405 nm")
    assert (said["Objective"], said["Filters"]) == ("20x v2", "BP445/45")
    image = open_images(harmony(tmp_path))[0]
    assert image.channels == (
        {"name": "DAPI", "excitation": "405", "emission": "445"},
        {"name": "GFP", "excitation": "488", "emission": "528"},
    )
    said = told(image)
    assert (said["Microscope"], said["Objective"]) == ("PerkinElmer Phenix", "20x NA 0.4")
    assert said["Tube/Detector"] == "Zyla"


def test_a_plate_is_one_group_and_strangers_are_not_of_it(tmp_path: Path, write: Write) -> None:
    home = tmp_path / "plate"
    home.mkdir()
    main = write(home)
    mine = {f"plate/{path.name}" for path in home.iterdir()} - {f"plate/{main.name}"}
    tifffile.imwrite(home / "mine.tif", np.ones((5, 5), np.uint8))
    groups = {group.main: group for group in sort(tmp_path).groups}
    assert set(groups) == {f"plate/{main.name}", "plate/mine.tif"}
    assert set(groups[f"plate/{main.name}"].members) == mine


def test_what_is_not_there_or_damaged_is_told_by_name(
    tmp_path: Path, write: Write, refused
) -> None:
    main = write(tmp_path)
    planes = sorted(path for path in tmp_path.iterdir() if path.suffix in {".tif", ".tiff"})
    planes = [path for path in planes if not path.name.startswith("DC_")]
    planes[1].unlink()
    assert "Missing planes" in {key for image in open_images(main) for key in told(image)}
    planes[2].write_bytes(b"")
    assert planes[2].name in refused(main)
    planes[2].unlink()
    planes[2].symlink_to("/etc/passwd")
    assert "link" in refused(main)
    for path in planes:
        path.unlink(missing_ok=True)
    assert "none of the planes" in refused(main)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a//b.tif"])
def test_a_list_never_leads_out_of_its_folder(
    tmp_path: Path, write: Write, refused, name: str
) -> None:
    main = write(tmp_path)
    first = next(path for path in sorted(tmp_path.iterdir()) if path.name[0] in "er")
    main.write_text(main.read_text().replace(f">{first.name}<", f">{name}<"))
    assert "outside of its own folder" in refused(main)
