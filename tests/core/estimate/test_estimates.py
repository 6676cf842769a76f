"""What a submit will take is told before it starts, from the template's own history."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import accounts
import pytest
import world
from estimating import LABELS, done, image, run, template, under_way
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets
from cid_server_ext.core.estimate import estimate, eta, gpu, room
from cid_server_ext.core.estimate.estimate import Estimate
from cid_server_ext.core.estimate.eta import Eta
from cid_server_ext.core.ledger import prices
from cid_server_ext.core.queue import limits
from cid_server_ext.core.queue.limits import Limits
from cid_server_ext.core.runs import preflight, submit
from cid_server_ext.core.subscriptions import subscriptions
from cid_server_ext.core.subscriptions.subscriptions import Wanted
from cid_server_ext.core.templates import templates
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import OverQuota

WHO = Actor("contributor")


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """A session on project `forecasts` with an image of a megapixel, and on two others."""
    with sessions.begin() as session:
        for name in ("forecasts", "others", "thirds"):
            world.make_project(session, name, limit=10**12)
        image(session, "forecasts", "one")
        image(session, "others", "theirs")
        image(session, "thirds", "third")
        yield session


def the(session: Session, name: str) -> t.Image:
    return session.scalars(select(t.Image).where(t.Image.name == name)).one()


def told(session: Session, of: t.Template, *images: t.Image) -> Estimate:
    return estimate.of(session, of, images or [the(session, "one")])


def seconds(found: Eta | None, session: Session) -> tuple[float, float, float]:
    assert found is not None
    assert found.low is not None
    assert found.likely is not None
    now = clock.now(session)
    low, likely, high = (
        (each - now).total_seconds() for each in (found.low, found.likely, found.high)
    )
    return low, likely, high


def test_without_history_only_its_limit_is_known(session: Session) -> None:
    of = template(session, "new-one", workers=2)
    found = told(session, of, *(image(session, "forecasts", f"i{n}") for n in range(5)))
    assert (found.history, found.seconds.low, found.seconds.likely) == (0, None, None)
    assert found.seconds.high == 3 * 3600
    assert (found.price, found.gpu_minutes) == (None, None)
    assert found.says == "no history yet: at most 1 h each, 46.7 MB"


def test_with_history_it_is_an_interval_from_submit_to_the_last_end(session: Session) -> None:
    of, one = template(session, "known", workers=2), the(session, "one")
    for n in range(10):
        done(session, of, one, 118 + n % 5, waited=20)
    found = told(session, of, *[one] * 4)
    assert found.history == 10
    low, likely, high = found.seconds.low, found.seconds.likely, found.seconds.high
    assert low is not None
    assert likely is not None
    assert 240 < low <= likely <= high < 290  # 20 s to start, then two after two
    assert likely == pytest.approx(20 + 2 * 120, rel=0.05)
    assert found.says == "about 4.5 min, 37.3 MB"


def test_a_larger_image_takes_longer(session: Session) -> None:
    of = template(session, "scales")
    for n in range(1, 11):
        done(session, of, image(session, "forecasts", f"size {n}", 100 * n), 2.0 * n**2)
    large = told(session, of, image(session, "forecasts", "large", 2000)).seconds.likely
    assert large == pytest.approx(10 + 800, rel=0.2)


def test_a_few_runs_are_told_as_few(session: Session) -> None:
    of = template(session, "hardly-known")
    done(session, of, the(session, "one"), 60)
    found = told(session, of)
    low, likely, high = found.seconds.low, found.seconds.likely, found.seconds.high
    assert low is not None
    assert likely is not None
    assert high - low > likely
    assert found.says.endswith(", known from 1 run only")


def test_earlier_versions_count_until_a_version_has_a_history(session: Session) -> None:
    old, one = template(session, "grows"), the(session, "one")
    for _ in range(8):
        done(session, old, one, 100)
    new = template(session, "grows", "1.1.0")
    assert told(session, new).history == 8
    for _ in range(5):
        done(session, new, one, 300)
    found = told(session, new)
    assert (found.history, found.seconds.likely) == (5, pytest.approx(310, rel=0.1))
    other = template(session, "grows-not")
    assert told(session, other).history == 0


def test_failed_runs_are_no_history(session: Session) -> None:
    of = template(session, "fails")
    now = clock.now(session)
    run(session, of, the(session, "one"), state="failed", started_at=now, ended_at=now)
    assert told(session, of).history == 0


def test_bytes_are_what_such_runs_wrote_and_not_what_is_reserved(session: Session) -> None:
    of, one = template(session, "writes"), the(session, "one")
    whole = room.OVERHEAD + 10**6 * LABELS * 4 // 3
    assert told(session, of).nbytes == whole
    for n in range(3):
        result = world.add_image(session, "forecasts", f"r{n}", run=done(session, of, one, 5))
        result.nbytes = whole // 10
    journal.record(session, "test", "set up", "test")
    session.flush()
    assert told(session, of).nbytes == pytest.approx(whole / 10, rel=0.01)


def test_the_price_is_that_of_each_team_s_tariff_with_vat(session: Session) -> None:
    today = clock.now(session).date()
    tariffs = {
        "internal": accounts.TARIFF | {"gpu_hour": "2.00", "cpu_hour": "0.10", "vat": "0"},
        "academic": accounts.TARIFF | {"gpu_hour": "4.00", "cpu_hour": "0.20", "vat": "20"},
        "industrial": accounts.TARIFF,
    }
    of = template(session, "costs", cores=4, gpus=1, workers=1)
    for _ in range(20):
        done(session, of, the(session, "one"), 1800)
    assert told(session, of).price is None, "nobody has published prices"
    prices.publish(session, world.STAFF, today, "EUR", tariffs)
    mine = told(session, of)
    assert mine.price is not None
    assert mine.gpu_minutes is not None
    assert mine.gpu_minutes == pytest.approx(30, rel=0.05)
    assert float(mine.price.total) == pytest.approx(1.00 + 0.20, rel=0.05)
    assert mine.price.total == mine.price.total.quantize(Decimal("0.01"))
    assert mine.says.endswith(f", {mine.price.total} EUR")
    team = session.scalars(select(t.Team).where(t.Team.name == "lab-others")).one()
    team.tariff = "academic"
    journal.record(session, "test", "set up", "test")
    session.flush()
    both = told(session, of, the(session, "one"), the(session, "theirs"))
    assert both.price is not None
    assert float(both.price.total) == pytest.approx(1.20 + 1.2 * 2.40, rel=0.05)


def test_what_is_in_the_queue_is_waited_for_and_other_teams_only_for_a_turn(
    session: Session,
) -> None:
    of, one = template(session, "waits", workers=1), the(session, "one")
    for _ in range(20):
        done(session, of, one, 600)

    def likely() -> float:
        found = told(session, of).seconds.likely
        assert found is not None
        return found

    assert likely() == pytest.approx(610, rel=0.1)
    for _ in range(4):
        batch = t.new_uid()
        for _ in range(50):
            run(session, of, the(session, "theirs"), batch=batch)
    behind_others = likely()
    assert 610 < behind_others < 1300, "a place is free when one of their runs ends"
    for _ in range(2):
        run(session, of, one)
    assert likely() > behind_others + 300, "what my team has before it is waited for"
    assert "of it in the queue" in told(session, of).says


def test_a_preflight_tells_it_and_a_submit_is_refused_where_gpu_minutes_lack(
    session: Session,
) -> None:
    of, one = template(session, "needs-gpu", gpus=1), the(session, "one")
    for _ in range(10):
        done(session, of, one, 600)
    found = preflight.preflight(session, WHO, "needs-gpu", [one.uid], {})
    assert (found.notes, found.estimate.gpu_minutes) == ([], pytest.approx(10, rel=0.05))
    limits.set_limits(session, world.STAFF, "lab-forecasts", Limits(gpu_minutes=5))
    (note,) = preflight.preflight(session, WHO, "needs-gpu", [one.uid], {}).notes
    assert (note.light, note.about) == ("red", "gpu")
    assert note.message == "the team has 5 GPU minutes left this month, this takes about 10"
    with pytest.raises(OverQuota, match="5 GPU minutes left this month, this takes about 10"):
        submit.submit(session, WHO, "needs-gpu", [one.uid], {})
    limits.set_limits(session, world.STAFF, "lab-forecasts", Limits(gpu_minutes=0))
    template(session, "needs-gpu", "2.0.0", gpus=1)
    with pytest.raises(OverQuota, match="no GPU minutes left this month"):
        submit.submit(session, WHO, "needs-gpu", [one.uid], {})
    limits.set_limits(session, world.STAFF, "lab-forecasts", Limits(gpu_minutes=60))
    assert len(submit.submit(session, WHO, "needs-gpu", [one.uid], {})) == 1


def test_the_end_of_a_run_comes_nearer_as_it_goes_on(session: Session) -> None:
    of, one = template(session, "goes-on"), the(session, "one")
    for n in range(20):
        done(session, of, one, 280 + 2 * n)
    slow = under_way(session, of, one, 100, progress={"fraction": 0.1})
    low, likely, high = seconds(eta.of_run(session, slow), session)
    assert low <= likely <= high
    fast = under_way(session, of, one, 100, progress={"fraction": 0.9})
    assert seconds(eta.of_run(session, fast), session)[1] < likely
    late = under_way(session, of, one, 3000, progress={"fraction": 0.9})
    assert seconds(eta.of_run(session, late), session)[0] >= -2, "never in the past"
    ended = done(session, of, one, 5)
    assert eta.of_run(session, ended) is None


def test_a_queued_run_ends_after_those_before_it(session: Session) -> None:
    of, one = template(session, "in-line", workers=2), the(session, "one")
    for _ in range(20):
        done(session, of, one, 100)
    batch = t.new_uid()
    first = [under_way(session, of, one, 50, batch=batch) for _ in range(2)]
    queued = [run(session, of, one, batch=batch) for _ in range(6)]
    ends = [seconds(eta.of_run(session, each), session)[1] for each in (first[0], *queued)]
    assert ends == pytest.approx([50, 150, 150, 250, 250, 350, 350], rel=0.15)
    whole = seconds(eta.of_batch(session, batch), session)[1]
    assert whole == pytest.approx(350, rel=0.15)
    queued[0].state = queued[1].state = "starting"  # in their conductor's hands, not begun
    session.flush()
    assert seconds(eta.of_batch(session, batch), session)[1] == pytest.approx(350, rel=0.15)
    queued[0].state = queued[1].state = "queued"
    for each in queued:
        each.paused = True
    journal.record(session, "test", "set up", "test")
    session.flush()
    assert seconds(eta.of_batch(session, batch), session)[1] == pytest.approx(50, rel=0.2)
    assert eta.of_run(session, queued[0]) is None


def test_very_many_are_told_from_the_first_of_them(session: Session) -> None:
    of, one = template(session, "very-many", workers=8), the(session, "one")
    for _ in range(20):
        done(session, of, one, 80)
    batch = t.new_uid()
    for _ in range(eta.LOOKED + 100):
        run(session, of, one, batch=batch)
    likely = seconds(eta.of_batch(session, batch), session)[1]
    assert likely == pytest.approx(10 + (eta.LOOKED + 100) / 8 * 80, rel=0.1)


def test_without_history_a_run_ends_at_its_limit_at_most(session: Session) -> None:
    of, one = template(session, "unknown", workers=1, wall_seconds=1000), the(session, "one")
    going = under_way(session, of, one, 400)
    found = eta.of_run(session, going)
    assert found is not None
    assert (found.low, found.likely) == (None, None)
    assert (found.high - clock.now(session)) < dt.timedelta(seconds=601)
    queued = run(session, of, one, batch=going.batch)
    batch = eta.of_batch(session, queued.batch)
    assert batch is not None
    assert batch.high - found.high == dt.timedelta(seconds=1000)


def test_a_project_s_template_has_a_history_of_its_own(session: Session) -> None:
    of, one = template(session, "same-name"), the(session, "one")
    for _ in range(6):
        done(session, of, one, 100)
    raw = copy.deepcopy(world.MANIFEST)
    raw["template"]["name"] = "same-name"
    own = templates.publish(session, WHO, raw, world.NOTEBOOK, "ours", project="forecasts")
    assert (told(session, own).history, told(session, of).history) == (0, 6)


def test_only_images_that_go_to_a_gpu_take_its_minutes(session: Session) -> None:
    of = template(session, "gpu-for-large", gpus=1, gpu_above=2_000_000)
    small, large = the(session, "one"), image(session, "forecasts", "large one", 2000)
    for each in (small, large):
        for _ in range(10):
            done(session, of, each, 600)
    limits.set_limits(session, world.STAFF, "lab-forecasts", Limits(gpu_minutes=1))
    assert told(session, of, small).gpu_minutes == 0
    minutes = told(session, of, small, large).gpu_minutes
    assert minutes == pytest.approx(10, rel=0.2)
    assert gpu.lacking(session, of, [small]) == []
    assert len(gpu.lacking(session, of, [small, large])) == 1


def test_a_subscription_says_what_its_images_would_cost(session: Session) -> None:
    of = template(session, "subscribed", cores=2)
    datasets.create(session, WHO, "forecasts", "new ones", query="in:forecasts one")
    wanted = Wanted("forecasts", "new ones", "subscribed", also_existing=True)
    unknown = subscriptions.preview(session, WHO, wanted)
    assert unknown.takes.price is None
    assert unknown.text.endswith("; no history yet: at most 1 h each, 9.3 MB")
    for _ in range(10):
        done(session, of, image(session, "others", "elsewhere"), 1800)
    today = clock.now(session).date()
    tariffs = dict.fromkeys(prices.TARIFFS, accounts.TARIFF | {"cpu_hour": "1.00", "vat": "20"})
    prices.publish(session, world.STAFF, today, "EUR", tariffs)
    found = subscriptions.preview(session, WHO, wanted)
    assert (found.would_run, found.takes.images) == (1, 1)
    assert found.takes.price is not None
    assert float(found.takes.price.total) == pytest.approx(1.2, rel=0.1)
