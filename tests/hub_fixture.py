"""One real hub for the whole test session: hub, catalog, conductor and gateway as in the demo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ports import free_ports

from hub_config.running import Hub, running
from hub_config.site import PORTS, Site


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that is up: .url .service_url .root .password .token(user) .log()."""
    site = Site(free_ports(len(PORTS)), tmp_path_factory.mktemp("hub"), demo=True)
    with running(site) as started:
        yield started
