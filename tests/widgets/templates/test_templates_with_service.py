"""Versions published to the real service: compared and withdrawn in a page."""

from __future__ import annotations

import json

import world
from playwright.sync_api import expect
from processes import STAFF, Service
from speaking import connected
from stage import Show

from cid_widgets import Templates

NAME = "shelf-of-widgets"


def test_two_versions_are_compared_and_one_is_withdrawn(service: Service, show: Show) -> None:
    book = json.loads(world.NOTEBOOK)
    book["cells"].append(book["cells"][0] | {"id": "b", "metadata": {}})
    for version, source in (("1.0.0", "print(sigma)"), ("1.1.0", "print(2 * sigma)")):
        book["cells"][1]["source"] = source
        manifest = world.called(NAME, version=version)
        body = {"manifest": manifest, "notebook": json.dumps(book), "changelog": "other start"}
        assert service.ask("POST", "templates", STAFF, json=body).status_code == 201
    tara, staff = connected(service, "tara"), connected(service, STAFF)
    reading = Templates(tara, NAME)
    assert (reading.error, reading.may_withdraw) == ("", [])
    assert [one["version"] for one in reading.versions] == ["1.1.0", "1.0.0"]

    page, _ = show(Templates(staff, NAME), "templates")
    expect(page.locator(".cid-diff del").last).to_have_text("-print(sigma)")
    expect(page.locator(".cid-diff ins").last).to_have_text("+print(2 * sigma)")
    page.get_by_role("button", name="Withdraw 1.1.0…").click()
    page.get_by_label("Why 1.1.0 is withdrawn").fill("starts too wide")
    sure = page.locator(".cid-withdraw:visible").get_by_role("button")
    sure.click()
    sure.click()
    expect(page.get_by_text(f"withdrawn by {STAFF['name']}: starts too wide")).to_be_visible()
    reading.refresh()
    assert reading.error == ""
    assert reading.versions[0]["withdrawn"]["reason"] == "starts too wide"
    assert next(one for one in reading.templates if one["reference"] == NAME)["version"] == "1.0.0"
    reading.close()
    tara.close()
    staff.close()
