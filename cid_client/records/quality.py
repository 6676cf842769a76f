"""The quality of an image as the catalog measured and judged it, one row a channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import display

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Quality(Mapping[str, Mapping[str, Any]]):
    """Channels by name, each with its measures; a notebook shows them as a table of words.

    `snr`, `saturated`, `range`, `unevenness` and `focus` are numbers or None (not known; `reason`
    says why there is no SNR). `record` is the catalog's answer as it came.
    """

    record: Mapping[str, Any]

    @property
    def version(self) -> int:
        """Of the measures: numbers of different versions are not compared."""
        return int(self.record["version"])

    @property
    def channels(self) -> list[Mapping[str, Any]]:
        """The measures of each channel, in the image's order."""
        return list(self.record["channels"])

    @property
    def planes(self) -> Mapping[str, Any]:
        """How many planes were looked at, are empty or repeat an earlier one, and which."""
        planes: Mapping[str, Any] = self.record["planes"]
        return planes

    @property
    def snr(self) -> list[float | None]:
        """The SNR of each channel, in the image's order."""
        return [channel["snr"] for channel in self.channels]

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        return self._named()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named())

    def __len__(self) -> int:
        return len(self.channels)

    def to_pandas(self) -> pd.DataFrame:
        """Return the numbers as a table, one row a channel."""
        import pandas as pd

        rows = [{k: v for k, v in one.items() if k != "told"} for one in self.channels]
        return pd.DataFrame(rows, index=pd.Index(list(self._named()), name="channel"))

    def _named(self) -> dict[str, Mapping[str, Any]]:
        """Return the channels by names that differ: its own, else its number."""
        found: dict[str, Mapping[str, Any]] = {}
        for at, channel in enumerate(self.channels):
            name = channel["name"]
            found[name if name and name not in found else f"channel {at + 1}"] = channel
        return found

    def __repr__(self) -> str:
        lines = []
        for name, channel in self._named().items():
            words = (f"{measure['title']} {measure['text']}" for measure in channel["told"])
            lines.append(f"{name}: {', '.join(words)}")
        return f"<Quality {'; '.join(lines)}>"

    def _repr_html_(self) -> str:
        named = self._named()
        titles = [measure["title"] for measure in self.channels[0]["told"]]
        rows = [[name, *(m["text"] for m in one["told"])] for name, one in named.items()]
        return display.table(["", *titles], rows) + display.cell(self.record["told"])
