"""What the route table says of a verb, and how a function becomes one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from .base import CidHandler

LARGEST = 2 << 20  # bytes of a body, where an endpoint says nothing else


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the route table says of one verb; the API document and the matrix test read it.

    `largest`: bytes of a body. `media`: the types that a `Download` may have. `passing`: fields of
    the answer that change by themselves, which an ETag takes for no change. `costly`: a search,
    which has little time (`lanes`). `reads`: a POST that changes no row, and holds no writer up.
    """

    summary: str
    who: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    media: tuple[str, ...] = ()
    largest: int = LARGEST
    passing: tuple[str, ...] = ()
    costly: bool = False
    reads: bool = False

    @property
    def tagged(self) -> bool:
        """Whether its answer to GET is a record with an ETag."""
        return self.answer is not None and self.query is None


def endpoint(
    summary: str, *, who: str, **more: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a verb of a handler from a function (self, ask, **path) that runs in a transaction.

    `more` are the other fields of `Endpoint`.
    """
    declared = Endpoint(summary, who, **more)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def verb(self: CidHandler, **path: str) -> None:
            await self.serve(declared, functools.partial(function, self), path)

        verb.endpoint = declared  # type: ignore[attr-defined]
        # prepare() refuses whoever is nobody; jupyter-server need not ask for its own login
        verb.__allow_unauthenticated = True  # type: ignore[attr-defined]
        return verb

    return decorate
