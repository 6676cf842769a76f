"""One real hub for the whole test session: hub, catalog, conductor and gateway as in the demo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub_config.ports import free_base
from hub_config.running import Hub, running
from hub_config.site import Site


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that is up: .url .service_url .root .password .token(user) .log()."""
    site = Site(free_base(), tmp_path_factory.mktemp("hub"), demo=True)
    with running(site) as started:
        yield started
