"""What every widget has: its built module, answers to its view's questions, errors as one line."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anywidget

STATIC = Path(__file__).parents[1] / "static"
LONGEST = 300


def built(name: str) -> tuple[Path | str, Path | str]:
    """Return the module and the style of a view, or empty text where they are not built yet."""
    module, style = STATIC / f"{name}.js", STATIC / f"{name}.css"
    return (module, style) if module.is_file() else ("", "")


def line(error: Exception) -> str:
    """Return what went wrong as one line for a person: the catalog's own message, or what failed.

    The catalog's errors carry a `status` and a message that says what to do.
    """
    words = " ".join(str(error).split())
    if hasattr(error, "status") and words:
        return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    what = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return f"This did not work ({what[:LONGEST]}). Try again; if it stays, tell the facility."


class View(anywidget.AnyWidget):
    """A widget that asks a catalog on behalf of its view.

    Which questions it asks the catalog, the `catalog.py` beside it says.

    The view asks by message, `{"ask": "more", ...}`, and `answer_more(asked)` answers. Front ends
    may call from a thread of their own while a cell runs, so answers take turns.
    """

    def __init__(self, catalog: Any | None, **traits: Any) -> None:
        if not self._esm:
            raise FileNotFoundError(
                f"the widgets are not built ({STATIC} is empty): run `make setup` in the checkout"
            )
        self.catalog: Any = catalog if catalog is not None else _connected()
        self.turn = threading.RLock()
        super().__init__(**traits)
        self.on_msg(self._heard)

    def tell(self, what: str, **rest: Any) -> None:
        """Send an answer to all views of this widget."""
        self.send({"tell": what, **rest})

    @contextmanager
    def telling(self, trait: str) -> Iterator[None]:
        """Put what goes wrong inside into a trait, as one line; clear it when all goes well."""
        try:
            yield
        except Exception as error:
            self.log.debug("%s failed", type(self).__name__, exc_info=True)
            self.set_trait(trait, line(error))
        else:
            self.set_trait(trait, "")

    def answer_thumbnails(self, asked: Mapping[str, Any]) -> None:
        """Tell fresh addresses of thumbnails; an image that is gone has none."""
        self.tell("thumbnails", urls={uid: self._thumbnail(uid) for uid in asked["uids"]})

    def _thumbnail(self, uid: str) -> str:
        try:
            return str(self.catalog.image(uid).record.get("thumbnail") or "")
        except Exception:  # whatever the reason, the tile shows the name instead
            self.log.debug("no thumbnail of %s", uid, exc_info=True)
            return ""

    def _heard(self, _: View, asked: Any, __: object) -> None:
        answer = getattr(self, f"answer_{asked.get('ask')}", None)
        if answer is not None:
            with self.turn:
                answer(asked)


def _connected() -> Any:
    """Return the catalog that this environment names."""
    import cid_client

    return cid_client.connect()
