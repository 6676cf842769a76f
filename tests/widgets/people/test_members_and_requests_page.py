"""Members, requests and leaving in a real browser: mouse, keyboard, and what is refused."""

from __future__ import annotations

import datetime as dt

import pretend_people
import pytest
from playwright.sync_api import Page, expect
from pretend import HOSTILE, Refused
from pretend_people import People
from stage import Show

from cid_widgets import Leaving, Members, ProjectRequest, Requests


@pytest.fixture
def people() -> People:
    return pretend_people.filled()


def row(page: Page, person: str) -> object:
    return page.locator("tbody tr", has=page.get_by_text(person, exact=True))


def test_a_manager_changes_roles_and_ends_and_takes_it_back(show: Show, people: People) -> None:
    page, _ = show(Members("demo", catalog=people), "members", width=600)
    expect(page.locator("tbody tr")).to_have_count(6)
    expect(page.locator("tbody tr").first).to_contain_text("mia")
    expect(page.locator("tbody tr").last).to_contain_text("ended")
    expect(row(page, "chiara")).to_contain_text("ends in 12 days")
    expect(row(page, "visitor")).to_contain_text("ends tomorrow")
    expect(row(page, "boris")).to_contain_text("given by mia")
    expect(page.get_by_text("works within 10 seconds")).to_be_visible()
    expect(page.get_by_text("Who leads team lab-martin (claire)")).to_be_visible()
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    role = page.get_by_label("Role of boris", exact=True)
    role.focus()
    page.keyboard.type("view")  # a select is chosen from by its first letters
    expect(page.get_by_role("status")).to_have_text("boris is viewer now.")
    expect(role).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(role).to_have_value("contributor")
    day = dt.date.today() + dt.timedelta(30)
    page.get_by_label("Role of boris ends on").fill(day.isoformat())
    expect(page.get_by_role("status")).to_have_text("boris is contributor now.")
    expect(row(page, "boris")).to_contain_text("ends in 30 days")
    put = [asked for asked in people.asked if asked[0] == "put"][-1]
    assert dt.datetime.fromisoformat(put[3]).astimezone(dt.UTC) > dt.datetime.now(dt.UTC)
    page.get_by_label("Role of boris ends on").fill("2020-01-01")
    expect(row(page, "boris")).to_contain_text("Choose a day to come")
    page.get_by_role("button", name="Remove boris").focus()
    page.keyboard.press("Enter")
    expect(row(page, "boris")).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("boris is no member any more.")
    expect(page.get_by_role("button", name="Remove chiara")).to_be_focused()


def test_somebody_is_added_by_keyboard(show: Show, people: People) -> None:
    page, _ = show(Members("demo", catalog=people), "members")
    page.get_by_label("Add", exact=False).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Say who.")).to_be_visible()
    page.keyboard.type("dora")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("dora is viewer now.")
    assert ("put", "dora", "viewer", None) in people.asked
    people.trouble = Refused("role 'viewer': the catalog refuses")
    page.keyboard.type("emil")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="refuses")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()  # of what was done before


def test_giving_up_ones_own_role_is_asked_once_more(show: Show, people: People) -> None:
    page, _ = show(Members("demo", catalog=people), "members")
    mine = page.get_by_label("Role of mia", exact=True)
    mine.select_option("viewer")
    page.get_by_role("button", name="Stay manager").click()
    expect(mine).to_have_value("manager")
    leave = page.get_by_role("button", name="Leave this project")
    leave.click()
    expect(leave).to_have_text("Really leave?")
    assert not [asked for asked in people.asked if asked[0] in ("put", "remove")]
    leave.click()
    expect(page.get_by_role("status")).to_have_text("mia is no member any more.")


def test_who_does_not_manage_reads(show: Show, people: People) -> None:
    people.role = "contributor"
    page, _ = show(Members("demo", catalog=people), "members")
    expect(page.locator("tbody tr")).to_have_count(6)
    expect(page.locator("tbody").get_by_role("combobox")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_text(["Refresh"])
    expect(page.get_by_text("Managers of the project change this list.")).to_be_visible()


def test_a_project_is_asked_for_and_what_is_wrong_is_said_at_once(
    show: Show, people: People
) -> None:
    form = ProjectRequest(people)
    page, _ = show(form, "project_request", width=600)
    name = page.get_by_label("Name", exact=True)
    name.fill("Wound Healing")
    expect(page.get_by_role("alert").filter(has_text="such as wound-healing")).to_be_visible()
    name.fill("demo")
    expect(page.get_by_role("alert").filter(has_text="There is a project")).to_be_visible()
    name.fill("wound-healing")
    page.get_by_label("Team", exact=True).select_option("")
    page.get_by_role("button", name="Ask for this project").click()
    expect(page.get_by_label("Name of the new team")).to_be_focused()
    assert not [asked for asked in people.asked if asked[0] == "request"]
    page.keyboard.type("lab-new")
    page.get_by_label("Room", exact=True).fill("1.5")
    page.get_by_label("Unit of the room").select_option("TB")
    page.get_by_role("button", name="Add a member").click()
    page.keyboard.type("bob")
    page.get_by_role("button", name="Add a term").click()
    page.keyboard.type("Genotype")
    page.get_by_label("Type", exact=True).select_option("choice")
    page.get_by_label("Choices").fill("wild type, knock-out,")
    page.get_by_role("button", name="Ask for this project").click()
    expect(page.get_by_role("listitem").filter(has_text="wound-healing")).to_contain_text("1.5 TB")
    expect(name).to_have_value("")
    [asked] = [asked for asked in people.asked if asked[0] == "request"]
    assert asked[1:3] == ("wound-healing", "lab-new")
    assert asked[3]["members"] == {"bob": "contributor"}
    assert asked[3]["terms"] == [
        {"key": "Genotype", "type": "choice", "unit": "", "choices": ["wild type", "knock-out"]}
    ]
    form.draft = form.draft | {"name": "from-python", "limit": "7 MB"}
    expect(name).to_have_value("from-python")
    expect(page.get_by_label("Unit of the room")).to_have_value("MB")
    withdraw = page.get_by_role("button", name="Withdraw the request for wound-healing")
    withdraw.click()
    withdraw.click()
    expect(page.locator("li.cid-request").first).to_contain_text("withdrawn")
    expect(page.get_by_role("link", name="screen-2")).to_have_attribute(
        "href", "/services/cid/projects/screen-2"
    )


def test_staff_opens_a_request_changes_it_and_approves(show: Show, people: People) -> None:
    people.me = "staff"
    inbox = Requests(people)
    page, _ = show(inbox, "requests", width=600)
    expect(page.get_by_text("2 requests wait for an answer")).to_be_visible()
    page.get_by_role("button", name="wound-healing").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="wound-healing")).to_be_focused()
    expect(page.get_by_text("The name wound-healing is free.")).to_be_visible()
    expect(page.get_by_text("12.4 TB of 20.0 TB used in 3 projects, led by claire")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("demo")
    expect(page.get_by_text("A project is called demo already.")).to_be_visible()
    approve = page.get_by_role("button", name="Approve…")
    approve.click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_label("Name", exact=True).fill("wounds")
    page.get_by_label("Room", exact=True).fill("1")
    page.get_by_label("Leaders of the team").fill("ann, boss")
    page.get_by_role("button", name="Remove this term").last.click()
    approve.click()
    page.get_by_role("button", name="Make wounds with 1 TB?").click()
    expect(page.get_by_role("link", name="wounds")).to_be_visible()
    [asked] = [asked for asked in people.asked if asked[0] == "approve"]
    assert asked[2] == {
        "name": "wounds",
        "team": None,
        "limit": "1 TB",
        "leaders": ["ann", "boss"],
        "terms": pretend_people.TERMS[:1],
    }
    inbox.opened = "q2"
    page.get_by_role("button", name="Refuse…").click()
    page.get_by_role("button", name="Refuse with this reason").click()
    expect(page.get_by_role("alert").filter(has_text="Say why.")).to_be_visible()
    page.get_by_label("Reason").fill("Not yet.")
    page.get_by_role("button", name="Refuse with this reason").click()
    expect(page.locator(".cid-said-line")).to_contain_text("mia can read why embryos is refused.")
    page.get_by_role("button", name="Withdrawn").click()
    expect(page.get_by_text("No such request.")).to_be_visible()
    assert inbox.state == "withdrawn"


def test_staff_hands_over_what_only_a_leaver_reaches(show: Show, people: People) -> None:
    page, _ = show(Leaving(people), "leaving", width=600)
    page.get_by_label("Who leaves?").fill("bob")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody else can read: screen")).to_be_visible()
    page.get_by_text("Runs by itself in their name: 3").click()
    expect(page.get_by_text("demo: segment-cells on new stacks")).to_be_visible()
    page.get_by_text("Notes: 2").click()
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    hand = page.get_by_role("button", name="Hand over")
    page.get_by_label("Who takes over?").fill("bob")
    hand.click()
    expect(page.get_by_role("alert").filter(has_text="Another person")).to_be_visible()
    page.get_by_label("Who takes over?").fill("claire")
    page.get_by_label("End all memberships of bob (3)").uncheck()
    hand.click()
    expect(
        page.get_by_text("All that bob reaches is reached by somebody else too.")
    ).to_be_visible()
    assert ("hand over", "bob", "claire", False) in people.asked
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Nobody else leads: team lab-bob")).to_be_visible()
    page.get_by_label("Who leaves?").fill("nobody")
    page.get_by_role("button", name="Show what they have").click()
    expect(page.get_by_role("alert").filter(has_text="facility staff")).to_be_visible()
    expect(hand).to_be_hidden()
