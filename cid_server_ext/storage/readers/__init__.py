"""Which reader opens which file: a table, asked in order. The bytes decide, not the suffix.

Readers of other packages (entry points `cid.readers`) come first: a dialect is known before the
format that it is written in.
"""

from __future__ import annotations

from pathlib import Path

from ... import plugins
from ...errors import BadFile, CidError
from . import bioformats, sidecar, sorting
from .deltavision import dv
from .electron import mrc
from .flim import sdt, simfcs
from .imaris import ims
from .leica import lif
from .metamorph import imagexpress, nd
from .micromanager import ndtiff, singles, stack
from .ngff import bones, images
from .nikon import nd2file
from .olympus import oif, vsi
from .ome import ome_files
from .plates import cellvoyager, harmony
from .policy import Policy, head_of
from .sorting import Group, Sorted
from .source import Source, unreadable
from .tiffs import pictures, tiff
from .zeiss import czi

__all__ = ["POLICIES", "Group", "Sorted", "open_images", "sort"]

# The first that knows a file reads it, and takes the files that belong to it: those whose main
# file names others come before those whose files they name.
OURS = (
    Policy("OME-Zarr", images.open_ngff, recognises=lambda path, head: bones.is_zarr(path)),
    Policy(
        "ImageXpress",
        imagexpress.open_plate,
        recognises=imagexpress.is_plate,
        members=imagexpress.members,
    ),
    Policy(
        "CellVoyager",
        cellvoyager.open_plate,
        recognises=cellvoyager.is_list,
        members=cellvoyager.members,
    ),
    Policy(
        "Opera, Operetta",
        harmony.open_plate,
        recognises=harmony.is_index,
        members=harmony.members,
    ),
    Policy("MetaMorph", nd.open_nd, magic=(nd.HEADER,), members=nd.members),
    Policy(
        "Micro-Manager",
        singles.open_acquisition,
        recognises=singles.is_acquisition,
        members=singles.members,
    ),
    Policy("NDTiff", ndtiff.open_index, recognises=ndtiff.is_index, members=ndtiff.members),
    Policy("Leica LIF", lif.open_lif, recognises=lif.is_lif),
    Policy("Zeiss CZI", czi.open_czi, magic=(b"ZISRAWFILE",)),
    Policy("Nikon ND2", nd2file.open_nd2, recognises=nd2file.is_nd2),
    Policy("Olympus OIB", oif.open_olympus, recognises=oif.is_oib),
    Policy("Olympus OIF", oif.open_olympus, recognises=oif.is_oif, members=oif.members),
    Policy("Olympus VSI", vsi.open_vsi, recognises=vsi.is_vsi, members=vsi.members),
    Policy("Becker & Hickl SDT", sdt.open_sdt, recognises=sdt.is_sdt),
    Policy("SimFCS R64", simfcs.open_simfcs, recognises=simfcs.is_r64),
    Policy("SimFCS REF", simfcs.open_simfcs, recognises=simfcs.is_ref),
    Policy(
        "OME-TIFF companion",
        ome_files.open_set,
        recognises=ome_files.is_companion,
        members=ome_files.members,
    ),
    Policy(
        "Micro-Manager stack",
        stack.open_stack,
        recognises=stack.is_stack,
        members=stack.members,
    ),
    Policy(
        "TIFF",
        tiff.open_tiff,
        magic=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        members=ome_files.members,
    ),
    Policy("PNG", pictures.open_picture, magic=(b"\x89PNG\r\n\x1a\n",)),
    Policy("JPEG", pictures.open_picture, magic=(b"\xff\xd8\xff",)),
    Policy("Imaris", ims.open_ims, recognises=ims.is_ims),
    # their marks are far into a file, where another format has anything: asked after all others
    Policy("DeltaVision", dv.open_dv, recognises=dv.is_dv, members=dv.members),
    Policy("MRC", mrc.open_mrc, recognises=mrc.is_mrc),
    Policy("Bio-Formats", bioformats.open_bioformats, recognises=bioformats.is_for_bioformats),
)
POLICIES = (*plugins.installed("cid.readers", Policy), *OURS)


def open_images(path: Path) -> list[Source]:
    """Return the images of a file, or of a folder that is one acquisition, lazily.

    A file finds those that belong to it beside itself. BadFile, one line with the cause and the
    way out: not an image, damaged, or more than a file can honestly hold. Call it only in a
    process whose memory and time are limited.
    """
    policy = _policy(path)
    if policy is None:
        return open_images(_main(path))
    try:
        return [sidecar.complete(image, policy.name) for image in policy.open(path)]
    except CidError:
        raise
    except Exception as error:  # whatever a reader says of a file, it is the file's fault
        raise unreadable(error) from error


def sort(folder: Path) -> Sorted:
    """Return which files of a tree belong together and which reader opens them."""
    return sorting.sort(folder, POLICIES)


def _policy(path: Path) -> Policy | None:
    """Return the reader of a file or folder; None for a folder that only keeps files together."""
    if path.is_symlink():
        raise BadFile("it is a link, not a file: copy the file itself")
    folder = path.is_dir()
    head = b"" if folder else _head(path)
    for policy in POLICIES:
        if policy.knows(path, head):
            return policy
    if folder:
        return None
    raise BadFile(
        "its first bytes are those of no image that CID reads"
        f" ({', '.join(policy.name for policy in POLICIES)}): convert it, or deposit it as a file"
    )


def _main(folder: Path) -> Path:
    """Return the file to open of a folder that holds the files of one image, as they were kept."""
    found = sort(folder)
    for name, reason in found.refused.items():
        raise BadFile(f"{name}: {reason}")
    if len(found.groups) != 1:
        raise BadFile("the folder is not one acquisition: import its files one by one")
    return folder / found.groups[0].main


def _head(path: Path) -> bytes:
    head = head_of(path)
    if not head:
        raise BadFile("the file is empty: copy it again")
    return head
