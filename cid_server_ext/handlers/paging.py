"""Pages of a list: `next` is text that names where the following page begins; `after` takes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

After = Annotated[str | None, Field(pattern="^[0-9]{1,18}$")]


def number(after: str | None) -> int | None:
    """Return the number of the row that a page begins after."""
    return None if after is None else int(after)


def token(last: int | None) -> str | None:
    """Return the `next` of a page that ends with this row; None: nothing follows."""
    return None if last is None else str(last)
