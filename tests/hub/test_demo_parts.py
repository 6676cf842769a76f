"""What the demo is made of: images with known truth, a notebook to start from, honest checks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import imageio.v3
import nbformat
import numpy as np
import skimage.data
import tifffile
from ports import free_ports
from scipy import ndimage

import cid_widgets
from hub_config import accounts, checks, nuclei, samples, welcome
from hub_config.site import PORTS, Site


def test_the_simulated_nuclei_are_counted_and_do_not_touch() -> None:
    made = nuclei.simulate()
    assert made.counts == [nuclei.COUNT] * nuclei.SHAPE["t"]
    for frame in made.labels:
        _, pieces = ndimage.label(frame, structure=np.ones((3, 3, 3)))
        assert pieces == nuclei.COUNT


def test_the_same_seed_simulates_the_same_pixels() -> None:
    first, again, other = (nuclei.simulate(seed).pixels for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_nuclei_are_brighter_than_what_is_around_them() -> None:
    made = nuclei.simulate()
    inside = made.labels > 0
    dapi = made.pixels[:, 0]
    assert dapi[inside].mean() > 2 * dapi[~inside].mean()


def test_the_samples_are_three_formats_that_keep_their_pixels(tmp_path: Path) -> None:
    cell, ihc, simulated = samples.prepare(tmp_path / "samples")
    shipped = Path(skimage.data.__file__).parent
    with tifffile.TiffFile(cell) as file:
        assert file.is_imagej
        assert np.array_equal(file.asarray(), imageio.v3.imread(shipped / "cell.png"))
    assert ihc.read_bytes() == (shipped / "ihc.png").read_bytes()
    with tifffile.TiffFile(simulated) as file:
        assert (file.series[0].axes, file.is_ome) == ("TCZYX", True)
        assert np.array_equal(file.asarray(), nuclei.simulate().pixels)
        assert file.ome_metadata is not None
        for written in ('PhysicalSizeZ="0.5"', 'PhysicalSizeX="0.2"', 'Name="DAPI"'):
            assert written in file.ome_metadata


def test_the_welcome_notebook_is_valid_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "home" / "Welcome.ipynb"
    welcome.write(path)
    nbformat.validate(nbformat.read(path, as_version=4))
    path.write_text("mine now")
    welcome.write(path)
    assert path.read_text() == "mine now"


def test_the_welcome_of_each_account_shows_widgets_that_there_are(tmp_path: Path) -> None:
    assert set(welcome.TOURS) == set(accounts.ACCOUNTS)
    shown = set()
    for person in welcome.TOURS:
        welcome.write(tmp_path / f"{person}.ipynb", person)
        made = nbformat.read(tmp_path / f"{person}.ipynb", as_version=4)
        nbformat.validate(made)
        code = "\n".join(cell.source for cell in made.cells if cell.cell_type == "code")
        shown |= set(re.findall(r"\b([A-Z][A-Za-z]+)\(", code))
    assert shown == set(cid_widgets.__all__) - {"ProjectRequest", "RunForm"}


def test_a_process_that_is_left_is_reported(tmp_path: Path) -> None:
    site = Site(free_ports(len(PORTS)), tmp_path)
    assert list(checks.of_end(site)) == []
    left = subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE)
    try:
        assert [f"process {left.pid} " in found for found in checks.of_end(site)] == [True]
    finally:
        left.communicate(b"\n")


def test_a_port_that_is_left_is_reported(tmp_path: Path) -> None:
    import socket

    site = Site(free_ports(len(PORTS)), tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.port))
        taken.listen()
        assert list(checks.of_end(site)) == [f"port {site.port} (proxy) is still in use"]
