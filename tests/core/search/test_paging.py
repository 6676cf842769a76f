"""Pages go on where they ended, whatever comes and goes between two of them."""

from __future__ import annotations

import pytest
import world

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import images
from cid_server_ext.core.life import trash
from cid_server_ext.core.search import find
from cid_server_ext.db.session import Sessions

CONTRIBUTOR = Actor("contributor")


@pytest.mark.parametrize("sort", ["newest", "oldest", "name", "-name", "size"])
def test_what_comes_and_goes_between_pages_shifts_nothing(sessions: Sessions, sort: str) -> None:
    """What stays is shown once; what was thrown away before its page came is not shown."""
    name = f"paging-{sort.strip('-')}{len(sort)}"
    with sessions.begin() as session:
        world.make_project(session, name)
        stays = {world.add_image(session, name, f"m {n}").uid for n in range(6)}
    seen: list[str] = []
    after = None
    for turn in range(20):
        with sessions.begin() as session:
            asked = find.Asked("", project=name, kinds=find.IMAGES, sort=sort, limit=2, after=after)
            page = images.search(session, CONTRIBUTOR, asked)
            seen += [row.uid for row in page.rows]
            after = page.next
        if after is None:
            break
        with sessions.begin() as session:
            world.add_image(session, name, f"a {turn}")
            world.add_image(session, name, f"z {turn}")
            if turn == 0:
                last = next(uid for uid in sorted(stays) if uid not in seen)
                trash.throw(session, CONTRIBUTOR, [last], [])
                stays.remove(last)
    assert after is None or len(seen) >= 40  # in some orders new ones come for ever
    assert len(seen) == len(set(seen))
    assert stays <= set(seen)
    assert last not in seen
