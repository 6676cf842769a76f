"""Fixtures: a catalog service of our own, conductors on its queue, kernels of both kinds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from house import conduct, house

from cid_server_ext.runners.worker import kernels

__all__ = ["conduct", "house"]


@pytest.fixture(scope="module")
def forked() -> Iterator[None]:
    """Kernels are forked, as a worker's are."""
    kernels.warm_up()
    yield
    kernels.cool_down()


@pytest.fixture(scope="module", params=["started", "forked"])
def either_kernel(request: pytest.FixtureRequest) -> str:
    """What a test says of kernels, of those that are started and of those that are forked."""
    if request.param == "forked":
        request.getfixturevalue("forked")
    return str(request.param)
