"""The widget of masks on the real service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from processes import STAFF, Service
from speaking import connected
from stage import Show

import cid_client as cid
import cid_widgets

TEXT = "mask: Shown\nfields:\n  - {key: Sample, required: true, choices: [a, b]}\n"


@pytest.fixture
def staff(service: Service) -> Iterator[cid.Catalog]:
    catalog = connected(service, STAFF)
    yield catalog
    catalog.close()


def test_a_mask_is_made_tried_saved_again_and_retired(
    show: Show, staff: cid.Catalog, service: Service
) -> None:
    widget = cid_widgets.Masks(staff)
    page, _ = show(widget, "masks", width=900)
    page.get_by_role("button", name="New mask").click()
    yaml = page.get_by_role("textbox", name="The mask as YAML")
    yaml.fill(TEXT.replace("choices", "choises"))
    wrong = page.get_by_role("status", name="What is wrong")
    expect(wrong).to_contain_text("line 3 Sample: 'choises' is not known; did you mean 'choices'?")
    yaml.fill(TEXT)
    expect(wrong).to_be_empty()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("“Shown”, version 1, is saved.")).to_be_visible()
    page.get_by_role("textbox", name="choices of Sample").fill("a; b; c")
    page.get_by_role("textbox", name="choices of Sample").press("Tab")
    expect(page.get_by_role("group", name="As an uploader sees it")).to_contain_text("c")
    page.get_by_role("textbox", name="Names to try it on").fill("x.tif")
    expect(page.get_by_text("once somebody says Sample")).to_be_visible()
    page.get_by_role("textbox", name="Why it is saved").fill("one more")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("“Shown”, version 2, is saved.")).to_be_visible()
    page.get_by_role("button", name="what version 2 changed").click()
    expect(page.get_by_role("region", name="Versions")).to_contain_text("choices a, b → a, b, c")
    page.get_by_role("button", name="Retire").click()
    expect(page.get_by_role("button", name="Use it again")).to_be_visible()
    mask = staff.masks["Shown"]
    assert (mask.retired, mask.version, mask.versions[0].note) == (True, 2, "one more")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Retire")).to_be_visible()

    others = connected(service, "wanda")
    assert not cid_widgets.Masks(others, "Shown").staff
    others.close()
    mask.refresh().retire()
