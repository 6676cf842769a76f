"""The form begins a subscription and the list shows it, with the real client and service."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
import world
from playwright.sync_api import expect
from processes import STAFF, Service, wait_until
from speaking import connected
from stage import Show

from cid_widgets import RunForm, Subscriptions

NAME = "standing-widgets"


def test_begun_in_the_form_and_followed_in_the_list(
    service: Service, show: Show, tmp_path: Path
) -> None:
    body = {"name": NAME, "team": "standing", "limit": 10**9, "members": {"sara": "contributor"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    template = {"manifest": world.MANIFEST, "notebook": world.NOTEBOOK}
    assert service.ask("POST", "templates", STAFF, json=template).is_success
    sara = connected(service, "sara")

    def bring(name: str) -> None:
        tifffile.imwrite(tmp_path / f"{name}.tif", np.full((16, 16), len(name), "uint8"))
        sara.upload(tmp_path / f"{name}.tif", NAME, again=True)

    bring("old stack")
    sara.project(NAME).make_dataset("night", query="name:stack")
    form = RunForm(sara, "count-things", [sara.search(project=NAME)[0]])
    page, _ = show(form, "run_form")
    page.get_by_text("Do this for every new match…").click()
    told = page.locator(".cid-standing [role=status]")
    expect(told).to_contain_text("1 image matches now: 1 would be run; would reserve 4.0 MB")
    page.get_by_label("Runs in all, at most").fill("1")
    page.get_by_role("button", name="Do it for every new match").click()
    expect(told).to_have_text("From now on each new match of night is run once.")

    bring("new stack")
    listed = Subscriptions(sara, NAME)
    page, _ = show(listed, "subscriptions")
    wait_until(lambda: sara.subscriptions(NAME)[0].counts["running"] == 1, what="its run")
    page.get_by_role("button", name="Refresh").click()
    line = page.locator(".cid-sub")
    expect(line).to_contain_text("on each new match of night name:stack")
    expect(line.get_by_label("Images")).to_contain_text("1 submitted or running")
    page.get_by_role("button", name="Run on the 1 there…").click()
    page.get_by_role("button", name="Really run 1 image?").click()
    expect(line.locator(".cid-sub-reason")).to_contain_text("its budget of 1 run is spent")
    page.get_by_role("button", name="End count-things on night").click()
    expect(page.get_by_text("Nothing runs by itself here.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(line).to_have_count(1)
    page.get_by_role("button", name="Change count-things on night").click()
    page.get_by_label("Runs in all, at most").fill("5")
    page.get_by_label("sigma").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(line).to_contain_text("of 5")
    expect(line).to_contain_text("sigma 3")
    changed = sara.subscriptions(NAME)[0]
    assert (changed.budget["runs"], changed.parameters) == (5, {"sigma": 3, "mode": "fast"})
    listed.end(listed.subscriptions[0]["uid"])
    assert sara.subscriptions(NAME) == []
    sara.close()
