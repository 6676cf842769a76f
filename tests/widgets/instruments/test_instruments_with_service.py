"""The widget of microscopes on the real service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import microscopes
import numpy as np
import pytest
import tifffile
from playwright.sync_api import expect
from processes import STAFF, Service
from speaking import connected
from stage import Show

import cid_client as cid
import cid_widgets


@pytest.fixture
def staff(service: Service) -> Iterator[cid.Catalog]:
    catalog = connected(service, STAFF)
    yield catalog
    catalog.close()


def test_a_microscope_is_registered_measured_and_its_images_are_found(
    show: Show, staff: cid.Catalog, service: Service, tmp_path: Path
) -> None:
    body = {"name": "shown-scope", "team": "shown-scope", "limit": 10**7}
    body |= {"members": {"gina": "manager"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    gina = connected(service, "gina")
    document = tmp_path / "Microscope.JSON"
    document.write_text(json.dumps({**microscopes.MICROSCOPE, "Name": "Shown scope"}))

    page, _ = show(cid_widgets.Instruments(staff), "instruments", width=1000)
    page.locator("input[type=file]").set_input_files(document)
    read = page.get_by_role("region", name="What was read")
    expect(read.get_by_label("Called")).to_have_value("Shown scope")
    read.get_by_label("From when").fill("2026-01-01")
    read.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Shown scope", exact=True)).to_be_visible()
    page.get_by_role("button", name="New measurement…").click()
    form = page.get_by_role("form", name="A measurement")
    for label, value in {"Metric": "FWHM", "Value": "0.3", "Unit": "µm", "At most": "0.26"}.items():
        form.get_by_label(label, exact=True).fill(value)
    form.get_by_role("button", name="Record").click()
    series = page.get_by_role("region", name="Quality control").get_by_role("table")
    expect(series).to_contain_text("0.3 µm≤ 0.26 µm")
    expect(series).to_contain_text("out of limits")
    scope = staff.instruments["Shown scope"]
    assert [one.fine for one in scope.controls] == [False]

    path = tmp_path / "cell.tif"
    tifffile.imwrite(path, np.full((32, 32), 9, "uint8"))
    [image] = gina.upload(path, "shown-scope", instrument="Shown scope")
    widget = cid_widgets.Instruments(gina, "Shown scope")
    page, _ = show(widget, "instruments", width=1000)
    listed = page.get_by_role("list", name="Microscopes").get_by_role("button", name="Shown scope")
    expect(listed).to_contain_text("1 image, last")
    page.get_by_role("button", name="Show its images").click()
    beside = page.get_by_role("region", name="Its images or its mask")
    expect(beside.locator(".cid-tile")).to_have_count(1)
    assert [row["uid"] for row in widget.beside.rows] == [image.uid]
    beside.get_by_role("button", name="Close", exact=True).click()
    expect(beside).to_be_hidden()
    expect(page.get_by_role("button", name="Retire", exact=True)).to_have_count(0)
    widget.retire()
    assert widget.error == "only facility staff may do this"
    gina.close()
    scope.retire()
