from __future__ import annotations

import re

import pretend
from playwright.sync_api import Page, expect
from processes import wait_until
from stage import Show

from cid_widgets import Browser


def tile(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.locator(".cid-tile").filter(has=page.get_by_text(name, exact=True))


def shown(page: Page, within: str) -> None:
    """Wait until the picture in there has arrived."""
    expect(page.locator(f"{within} .cid-thumb").first).to_have_attribute("data-state", "shown")


def test_images_are_shown_with_name_size_and_kind(show: Show, catalog: pretend.Catalog) -> None:
    page, stage = show(Browser(catalog), "browser")
    expect(page.locator(".cid-tile")).to_have_count(14)
    expect(tile(page, "nuclei A02")).to_contain_text("2048×2048 · 3c · 12z")
    expect(tile(page, "nuclei A01 cells").locator(".cid-badge")).to_have_text("labels")
    expect(page.get_by_role("status").first).to_have_text("14 images")
    shown(page, ".cid-tile")
    assert all(path.startswith("/data/") for path in stage.fetched)


def test_the_tree_is_walked_by_keyboard(show: Show, catalog: pretend.Catalog) -> None:
    page, stage = show(Browser(catalog), "browser")
    page.get_by_role("treeitem", name="All projects").focus()
    page.keyboard.press("ArrowDown")
    demo = page.get_by_role("treeitem", name="Cytokinesis screen")
    expect(demo).to_be_focused()
    expect(demo).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(demo).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("treeitem", name="controls")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    names = page.get_by_role("treeitem", name="screen", exact=True).get_by_role("treeitem")
    assert names.evaluate_all("all => all.map((item) => item.ariaLabel)") == [
        "plate 1",
        "plate 10",
        "segment-cells",
    ]
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    chosen = page.get_by_role("treeitem", name="segment-cells")
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(chosen).to_be_focused()
    expect(page.locator(".cid-tile")).to_have_count(1)
    assert (stage.widget.project, stage.widget.dataset) == ("demo", "screen/segment-cells")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("treeitem", name="screen", exact=True)).to_be_focused()


def test_the_allocation_is_a_bar_in_human_units(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(Browser(catalog), "browser")
    bars = page.locator(".cid-allocation")
    expect(bars.nth(0)).to_have_text("212 GB of 500 GB")
    expect(bars.nth(0)).to_have_attribute("data-level", "free")
    expect(bars.nth(1)).to_have_text("10.0 GB of 10.0 GB, full")
    width = "spans => spans.map((one) => one.style.width)"
    assert bars.nth(0).locator(".cid-bar span").evaluate_all(width) == ["42.4%", "8%"]


# two keys at one moment, so that no slowness parts them
TWO_KEYS = """(box) => {
  for (const typed of ["A", "A0"]) {
    box.value = typed;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""


def test_typing_searches_once_and_says_when_nothing_matches(
    show: Show, catalog: pretend.Catalog
) -> None:
    page, _ = show(Browser(catalog), "browser")
    expect(page.locator(".cid-facet").first).to_be_visible()  # what a view asks by itself is told
    before = len(catalog.asked)
    box = page.get_by_role("combobox", name="Search names and tags")
    box.focus()
    box.evaluate(TWO_KEYS)
    expect(page.get_by_role("status").first).to_have_text("10 images")
    asked = [one for one in catalog.asked[before:] if one[0] in ("search", "complete")]
    assert next(one[1] for one in asked if one[0] == "search") == "A0"
    assert [one[1] for one in asked if one[0] == "complete"] == ["A0"]
    box.fill("mitochondria")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()


def test_it_shows_its_images_however_far_down_a_page_it_stands(
    show: Show, catalog: pretend.Catalog
) -> None:
    page, _ = show(Browser(catalog), "browser")
    page.evaluate("document.getElementById('stage').style.marginTop = '9000px'")
    page.set_viewport_size({"width": 1100, "height": 700})  # it is laid out again
    page.wait_for_function("innerWidth === 1100")
    tile(page, "nuclei A01").scroll_into_view_if_needed()
    expect(page.locator(".cid-tile")).to_have_count(14)


def test_the_kind_filter_shows_labels_only(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(Browser(catalog), "browser")
    page.get_by_role("button", name="Labels").click()
    expect(page.locator(".cid-tile")).to_have_count(1)
    expect(page.get_by_role("button", name="Labels")).to_have_attribute("aria-pressed", "true")


def test_empty_places_say_what_to_do(show: Show, catalog: pretend.Catalog) -> None:
    catalog.records = []
    page, _ = show(Browser(catalog, project="demo"), "browser")
    expect(page.get_by_text("Bring some in with Upload…")).to_be_visible()
    page, _ = show(Browser(pretend.Catalog()), "browser")
    expect(page.get_by_text("You have no project yet.")).to_be_visible()


def test_mouse_and_keyboard_select_as_everywhere_else(show: Show, catalog: pretend.Catalog) -> None:
    page, stage = show(Browser(catalog), "browser")
    status = page.get_by_role("status").first
    tile(page, "nuclei A02").click()
    expect(status).to_have_text("1 selected · 14 images")
    tile(page, "nuclei A05").click(modifiers=["Shift"])
    expect(status).to_have_text("4 selected · 14 images")
    tile(page, "nuclei A03").click(modifiers=["Control"])
    expect(status).to_have_text("3 selected · 14 images")
    expect(tile(page, "nuclei A03")).to_have_attribute("aria-selected", "false")
    tile(page, "nuclei A01").click()
    page.keyboard.press("ArrowRight")
    expect(tile(page, "nuclei A01 cells")).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    expect(status).to_have_text("2 selected · 14 images")
    page.keyboard.press("ArrowDown")
    expect(status).to_have_text("1 selected · 14 images")
    page.keyboard.press("Control+a")
    expect(status).to_have_text("14 selected · 14 images")
    page.keyboard.press("Escape")
    expect(status).to_have_text("14 images")
    wait_until(lambda: stage.widget.selected == [])


def test_details_show_all_that_is_known(show: Show, catalog: pretend.Catalog) -> None:
    page, stage = show(Browser(catalog), "browser")
    tile(page, "nuclei A01").click()
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("heading", name="nuclei A01")).to_be_visible()
    for words in (
        "0.1 × 0.1 µm",
        "0.5 µm",
        "tczyx  (1, 3, 12, 2048, 2048)  uint16",
        "302 MB",
        "Phalloidin",
        "Spinning disk 2",
        "120 ms",
        "nuclei A01.tif",
    ):
        expect(details).to_contain_text(re.compile(re.escape(words).replace(r"\ \ ", r"\s+")))
    expect(details).to_contain_text(re.compile(r"Used by\s*segment-cells 1\.0\.0"))
    groups = details.locator("h4").all_inner_texts()
    assert groups == ["Channels", "History", "Microscope", "Sample", "Processing", "Original file"]
    dot = details.locator(".cid-dot").first
    assert dot.evaluate("one => one.style.background") == "rgb(32, 96, 255)"
    details.get_by_role("button", name="nuclei A01 cells").click()
    expect(details.get_by_role("heading", name="nuclei A01 cells")).to_be_visible()
    expect(details.get_by_role("button", name="nuclei A01", exact=True)).to_be_visible()
    assert stage.widget.focused == "l0"


def test_an_image_without_calibration_says_so(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(Browser(catalog, project="histology"), "browser")
    tile(page, "ihc").click()
    expect(page.locator(".cid-details .cid-warn")).to_have_text("not calibrated")


def test_digests_are_copied_whole(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(Browser(catalog), "browser", permissions=["clipboard-read", "clipboard-write"])
    tile(page, "nuclei A01").click()
    button = page.get_by_title("Copy the sha256")
    button.evaluate(  # it says so for a moment only
        """(el) => {
          const tell = () => el.toggleAttribute("data-told", el.textContent === "copied" || told());
          const told = () => el.hasAttribute("data-told");
          new MutationObserver(tell).observe(el, { childList: true });
        }"""
    )
    button.click()
    expect(button).to_have_attribute("data-told", "")
    assert page.evaluate("navigator.clipboard.readText()") == pretend.SHA


def test_hostile_names_and_tags_stay_text(show: Show, catalog: pretend.Catalog) -> None:
    hostile = pretend.HOSTILE
    catalog.records[0] |= {
        "name": hostile,
        "dataset": hostile,
        "channels": [{"name": hostile, "color": "red;background:url(/owned)"}],
        "tags": [{"key": hostile, "value": hostile, "kind": "sample", "source": hostile}],
        "original": {
            **{"uid": "x", "name": hostile, "nbytes": 1, "sha256": hostile},
            "in_place": {"where": hostile, "state": "changed", "reason": hostile},
        },
    }
    catalog.held[0]["title"] = hostile
    catalog.held[0]["datasets"].append({"uid": "h", "path": f"{hostile}/{hostile}"})
    page, _ = show(Browser(catalog), "browser")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("treeitem").nth(1).click()
    tile(page, hostile).dblclick()
    expect(page.get_by_role("heading", name=hostile)).to_be_visible()
    expect(page.locator(".cid-details section")).to_contain_text([hostile] * 3)
    expect(page.get_by_text(f"Changed: {hostile}", exact=True)).to_be_visible()
    shown(page, ".cid-details")
    assert page.title() == "stage"
    assert page.locator("img[onerror], .cid-tree img, .cid-facts img").count() == 0
    assert not any("owned" in url or url.endswith("/x") for url in asked)


def test_a_thumbnail_address_that_is_no_address_is_not_followed(
    show: Show, catalog: pretend.Catalog
) -> None:
    browser = Browser(catalog)
    browser.rows = [browser.rows[0] | {"thumbnail": "javascript:alert(1)"}]
    browser.found += 1
    page, _ = show(browser, "browser")
    frame = page.locator(".cid-tile .cid-thumb")
    expect(frame).to_have_attribute("data-state", "none")
    expect(frame).to_contain_text("nuclei A01")


def test_thumbnails_come_back_after_their_ticket_has_ended(
    show: Show, catalog: pretend.Catalog
) -> None:
    page, stage = show(Browser(catalog), "browser", ended=True)
    expect(page.locator('.cid-thumb[data-state="shown"]')).to_have_count(14)
    questions = stage.questions("thumbnails")
    assert sum(len(one["uids"]) for one in questions) == 14
    assert len(questions) < 14  # several at once, as far as they fail together


def test_an_image_without_a_thumbnail_shows_its_name(show: Show, catalog: pretend.Catalog) -> None:
    page, stage = show(Browser(catalog, project="histology"), "browser", oldest_ticket=10**9)
    frame = page.locator(".cid-tile .cid-thumb")
    expect(frame).to_have_attribute("data-state", "none")
    expect(frame.locator(".cid-thumb-name")).to_be_visible()
    assert len(stage.questions("thumbnails")) == 1  # once, and not again and again


def test_scrolling_brings_the_next_pages(show: Show) -> None:
    page, stage = show(Browser(pretend.filled(119)), "browser")
    tiles = page.locator(".cid-tile")
    middle = page.locator(".cid-middle")

    def last() -> str | None:
        middle.evaluate("el => el.scrollTo(0, el.scrollHeight)")
        return tiles.last.get_attribute("aria-posinset")

    wait_until(lambda: last() == "121", what="the last page")
    assert tiles.count() < 80  # what is far from sight is not in the page
    expect(page.get_by_role("status").first).to_have_text("121 images")
    assert [one["start"] for one in stage.questions("more")] == [50, 100]


def test_an_error_is_one_line_that_goes_again(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(Browser(catalog), "browser")
    catalog.trouble = pretend.Refused(
        "Your login has ended: log in to the hub and run the cell again."
    )
    page.get_by_role("button", name="Images", exact=True).click()
    expect(page.get_by_role("alert").first).to_have_text(str(catalog.trouble))
    catalog.trouble = None
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.get_by_role("alert").first).to_be_hidden()
    expect(page.locator(".cid-tile")).to_have_count(14)


def test_narrow_places_show_details_over_the_images(show: Show, catalog: pretend.Catalog) -> None:
    for width in (760, 420):
        page, _ = show(Browser(catalog), "browser", width=width)
        details = page.get_by_role("complementary", name="Details")
        expect(details).to_be_hidden()
        tile(page, "nuclei A02").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(details).to_be_visible()
        expect(details).to_be_focused()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        details.get_by_role("button", name="Close").click()
        expect(details).to_be_hidden()


def test_all_three_panes_fit_a_small_laptop(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(Browser(catalog), "browser", width=1024)
    tile(page, "nuclei A01").click()
    for pane in ("tree", "middle", "details"):
        box = page.locator(f".cid-{pane}").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1024
        assert box["y"] + box["height"] <= 768


def test_the_view_listens_to_nothing_once_it_is_gone(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(Browser(catalog), "browser")
    assert page.evaluate("window.listening()") > 10
    page.evaluate("window.leave()")
    assert page.evaluate("window.listening()") == 0
    expect(page.locator("#stage")).to_be_empty()
