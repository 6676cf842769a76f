"""OME-TIFF in several files: one image, found by name or UUID, and nothing outside its folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import pytest
import tifffile

from cid_server_ext.storage.readers import open_images, sort

PLANES = np.random.default_rng(3).integers(0, 999, (3, 2, 20, 30), dtype=np.uint16)  # z, c
SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def urn(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_OID, name)}"


def full(own: str, files: list[str], more: str = "") -> str:
    """OME-XML of 3 z and 2 channels: one file for each z, which holds both channels."""
    blocks = "".join(
        f'<TiffData FirstZ="{z}" FirstC="{c}" IFD="{c}" PlaneCount="1">'
        f'<UUID FileName="{name}">{urn(name)}</UUID></TiffData>'
        for z, name in enumerate(files)
        for c in range(2)
    )
    return (
        f'<OME xmlns="{SCHEMA}" UUID="{urn(own)}"><Image ID="Image:0" Name="whole">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="30" SizeY="20"'
        ' SizeZ="3" SizeC="2" SizeT="1" PhysicalSizeX="0.1" PhysicalSizeY="0.1"'
        ' PhysicalSizeZ="500" PhysicalSizeZUnit="nm">'
        '<Channel ID="Channel:0:0" Name="DAPI"/><Channel ID="Channel:0:1" Name="GFP"/>'
        f"{blocks}{more}</Pixels></Image></OME>"
    )


def write(path: Path, z: int, xml: str) -> None:
    tifffile.imwrite(
        path, PLANES[z], description=xml, metadata=None, photometric="minisblack", tile=(16, 16)
    )


Maker = Callable[..., list[Path]]


@pytest.fixture
def several(tmp_path: Path) -> Maker:
    """Return what writes three OME-TIFFs of one image: several(companion=True)."""

    def make(companion: bool = False, names: tuple[str, ...] = ("a", "b", "c")) -> list[Path]:
        files = [f"{name}.ome.tif" for name in names]
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        for z, name in enumerate(files):
            only = f'<BinaryOnly MetadataFile="x.companion.ome" UUID="{urn("x")}"/>'
            short = f'<OME xmlns="{SCHEMA}" UUID="{urn(name)}">{only}</OME>'
            write(folder / name, z, short if companion else full(name, files))
        if companion:
            (folder / "x.companion.ome").write_text(full("x", files))
        return sorted(folder.iterdir())

    return make


def is_whole(path: Path) -> None:
    (image,) = open_images(path)
    assert (image.name, image.axes, image.shape) == ("whole", "czyx", (2, 3, 20, 30))
    assert image.scale == {"z": 0.5, "y": 0.1, "x": 0.1}
    assert [channel["name"] for channel in image.channels] == ["DAPI", "GFP"]
    assert (image.array.compute() == PLANES.transpose(1, 0, 2, 3)).all()


@pytest.mark.parametrize("companion", [False, True])
def test_any_of_the_files_opens_the_whole_image(several: Maker, companion: bool) -> None:
    for path in several(companion):
        is_whole(path)


@pytest.mark.parametrize("companion", [False, True])
def test_they_are_one_group(several: Maker, companion: bool) -> None:
    paths = several(companion)
    (group,) = sort(paths[0].parent).groups
    assert {group.main, *group.members} == {path.name for path in paths}
    assert group.main == ("x.companion.ome" if companion else "a.ome.tif")


@pytest.mark.parametrize("companion", [False, True])
def test_renamed_files_are_known_by_their_uuid(several: Maker, companion: bool) -> None:
    paths = several(companion)
    for path in paths:
        path.rename(path.with_name(f"of monday {path.name}"))
    for path in paths:
        is_whole(path.with_name(f"of monday {path.name}"))
    (group,) = sort(paths[0].parent).groups
    assert len(group.members) == len(paths) - 1


def test_the_one_that_is_missing_is_named(several: Maker, refused) -> None:
    first, second, third = several()
    second.unlink()
    assert "'b.ome.tif'" in refused(first)
    assert "missing" in refused(third)
    assert [group.main for group in sort(first.parent).groups] == ["a.ome.tif"]


def test_pixels_without_their_metadata_are_refused_as_one(several: Maker, refused) -> None:
    *tiffs, companion = several(companion=True)
    companion.unlink()
    assert "'x.companion.ome'" in refused(tiffs[0])
    (group,) = sort(companion.parent).groups
    assert len(group.members) == 2


def test_metadata_alone_belongs_to_the_others(several: Maker, refused) -> None:
    *tiffs, companion = several(companion=True)
    for path in tiffs:
        path.unlink()
    found = sort(companion.parent)
    assert (found.groups, found.others) == ((), ("x.companion.ome",))
    assert "'a.ome.tif'" in refused(companion)


@pytest.mark.parametrize("name", ["../secret.tif", "/etc/passwd", "sub/secret.tif", "..\\x.tif"])
@pytest.mark.parametrize("companion", [False, True])
def test_files_outside_of_the_folder_are_never_opened(
    several: Maker, tmp_path: Path, name: str, companion: bool, refused
) -> None:
    tifffile.imwrite(tmp_path / "secret.tif", PLANES[0])
    main = several(companion)[-1]
    (main.parent / "sub").mkdir()
    tifffile.imwrite(main.parent / "sub" / "secret.tif", PLANES[0])
    xml = full("x" if companion else "c.ome.tif", ["a.ome.tif", name, "c.ome.tif"])
    if companion:
        main.write_text(xml)
    else:
        write(main, 2, xml)
    assert "outside" in refused(main)
    assert all("secret" not in member for g in sort(main.parent).groups for member in g.members)


def test_a_link_is_not_followed(several: Maker, tmp_path: Path, refused) -> None:
    first, second, _ = several()
    second.rename(tmp_path / "elsewhere.tif")
    os.symlink(tmp_path / "elsewhere.tif", second)
    assert "link" in refused(first)
    assert second.name in sort(first.parent).refused


def test_a_plane_that_no_file_holds_is_told_and_is_0(several: Maker) -> None:
    first = several()[0]
    xml = full(first.name, ["a.ome.tif", "b.ome.tif"])
    write(first, 0, xml)
    (image,) = open_images(first)
    told = {key: (text, number) for key, text, number in image.tags}
    assert told["Missing planes"] == ("t 1 c 1 z 3; t 1 c 2 z 3", 2.0)
    assert not image.array[:, 2].compute().any()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('<TiffData IFD="9" PlaneCount="1"/>', "holds 2 planes"),
        ('<TiffData IFD="0" PlaneCount="99"/>', "more planes"),
        ('<TiffData FirstZ="7"/>', "more planes"),
    ],
)
def test_metadata_that_lies_is_refused(several: Maker, more: str, said: str, refused) -> None:
    first = several()[0]
    write(first, 0, full(first.name, [p.name for p in several()], more))
    assert said in refused(first)


def test_a_truncated_member_is_refused(several: Maker, refused) -> None:
    first, second, _ = several()
    second.write_bytes(second.read_bytes()[:-50])
    assert "truncated" in refused(first)


def test_real_files_whose_companion_is_not_there_say_so(real: Path, refused) -> None:
    folder = real / "formats/ometiff/multifile"
    assert "'multifile.companion.ome'" in refused(folder / "multifile-Z1.ome.tiff")
    (group,) = sort(folder).groups
    assert (group.main, len(group.members)) == ("multifile-Z1.ome.tiff", 4)


def test_real_files_are_one_stack_with_a_companion(real: Path, tmp_path: Path) -> None:
    """The companion that the five files name is not kept with them: its words are written anew."""
    names = [f"multifile-Z{z + 1}.ome.tiff" for z in range(5)]
    planes = []
    for name in names:
        (tmp_path / name).write_bytes((real / "formats/ometiff/multifile" / name).read_bytes())
        planes.append(tifffile.imread(tmp_path / name, is_ome=False))
    blocks = "".join(
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name}">{urn(name)}</UUID></TiffData>'
        for z, name in enumerate(names)
    )
    (tmp_path / "multifile.companion.ome").write_text(
        f'<OME xmlns="{SCHEMA}" UUID="{urn("m")}"><Image ID="Image:0"><Pixels ID="Pixels:0"'
        ' DimensionOrder="XYZCT" Type="uint8" SizeX="18" SizeY="24" SizeZ="5" SizeC="1" SizeT="1">'
        f'<Channel ID="Channel:0:0"/>{blocks}</Pixels></Image></OME>'
    )
    (image,) = open_images(tmp_path / names[3])
    assert (image.axes, image.shape) == ("zyx", (5, 24, 18))
    assert (image.array.compute() == np.stack(planes)).all()


def test_one_of_the_tiffs_may_hold_the_metadata_of_all(several: Maker) -> None:
    paths = several()
    only = f'<BinaryOnly MetadataFile="b.ome.tif" UUID="{urn("b.ome.tif")}"/>'
    for z in (0, 2):
        own = urn(paths[z].name)
        write(paths[z], z, f'<OME xmlns="{SCHEMA}" UUID="{own}">{only}</OME>')
    for path in paths:
        is_whole(path)
    (group,) = sort(paths[0].parent).groups
    assert (group.main, group.members) == ("a.ome.tif", ("b.ome.tif", "c.ome.tif"))


def test_colours_of_several_files_are_channels(tmp_path: Path, only) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (2, 8, 9, 3), dtype=np.uint8)
    names = ["a.ome.tif", "b.ome.tif"]
    blocks = "".join(
        f'<TiffData FirstZ="{z}" IFD="0"><UUID FileName="{name}">{urn(name)}</UUID></TiffData>'
        for z, name in enumerate(names)
    )
    for z, name in enumerate(names):
        xml = (
            f'<OME xmlns="{SCHEMA}" UUID="{urn(name)}"><Image ID="Image:0"><Pixels ID="Pixels:0"'
            ' DimensionOrder="XYCZT" Type="uint8" SizeX="9" SizeY="8" SizeZ="2" SizeC="3" SizeT="1"'
            f'><Channel ID="Channel:0:0" SamplesPerPixel="3"/>{blocks}</Pixels></Image></OME>'
        )
        tifffile.imwrite(tmp_path / name, pixels[z], description=xml, metadata=None)
    image = only(tmp_path / "b.ome.tif")
    assert [channel["name"] for channel in image.channels] == ["Red", "Green", "Blue"]
    assert (image.axes, image.shape) == ("czyx", (3, 2, 8, 9))
    assert (image.array.compute() == pixels.transpose(3, 0, 1, 2)).all()
