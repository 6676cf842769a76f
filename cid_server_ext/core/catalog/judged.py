"""What the measures of an image's quality mean in words: the one place that judges them.

The API, the client, the widgets and the pages show these words; none of them has thresholds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Below the first it is bad, below the second fair, else good. docs/user/quality.md explains them.
SNR = (5.0, 12.0)
SATURATED = (0.0001, 0.005)  # above the second it is bad, above the first fair
RANGE = (0.05, 0.15)
FOCUS = (0.01, 0.02)
UNEVEN = (0.1, 0.25)
FULL = {"snr": 40.0, "focus": 0.2, "saturated": 0.05}  # where the bar is full
LISTED = 3  # planes and channels that are named
# of the measures of a channel, those that an image is looked at again for
TELLING = {"snr": "SNR low", "saturated": "Saturation clipped", "focus": "Focus soft"}


def judged(quality: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a quality with `told`: for each channel its measures in words, and of the planes.

    A measure is {key, title, text, level, part}: level good, fair, bad or unknown; part is how
    full its bar is, 0 to 1.
    """
    if not quality or not quality.get("channels"):
        return None
    channels = [{**channel, "told": _channel(channel)} for channel in quality["channels"]]
    return {**quality, "channels": channels, "told": _planes(quality.get("planes") or {})}


def poor(quality: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what is bad of a judged quality; what many channels share is one line."""
    channels = quality["channels"] if quality else []
    names = [channel["name"] or f"channel {at}" for at, channel in enumerate(channels, 1)]
    bad: dict[str, list[tuple[str, str]]] = {key: [] for key in TELLING}
    for name, channel in zip(names, channels, strict=True):
        for measure in channel["told"]:
            if measure["level"] == "bad" and measure["key"] in TELLING:
                bad[measure["key"]].append((name, f"{measure['title']} {measure['text']}"))
    for key, found in bad.items():
        if len(found) > LISTED:
            named = ", ".join(name for name, _ in found[:LISTED])
            yield f"{TELLING[key]} in {len(found)} of {len(channels)} channels: {named}, …"
        else:
            for name, text in found:
                yield f"{name}: {text}" if len(channels) > 1 else text
    if quality and quality["told"]:
        yield str(quality["told"])


def _channel(of: Mapping[str, Any]) -> list[dict[str, Any]]:
    snr, focus = of.get("snr"), of.get("focus")
    saturated, used = of.get("saturated"), of.get("range")
    return [
        _told("snr", "SNR", snr, _more(snr, SNR), _snr(of), _part(snr, FULL["snr"])),
        _told(
            "saturated",
            "Saturation",
            saturated,
            _less(saturated, SATURATED),
            _saturated(saturated),
            _part(saturated, FULL["saturated"]),
        ),
        _told(
            "focus", "Focus", focus, _more(focus, FOCUS), _focus(of), _part(focus, FULL["focus"])
        ),
        _told("range", "Range", used, _more(used, RANGE), _range(of), _part(used, 1.0)),
        _told(
            "background",
            "Background",
            of.get("background"),
            _less(of.get("unevenness"), UNEVEN),
            _background(of),
            _part(of.get("unevenness"), 1.0),
        ),
    ]


def _told(
    key: str, title: str, value: float | None, level: str, text: str, part: float
) -> dict[str, Any]:
    if value is None:
        level, part = "unknown", 0.0
    return {"key": key, "title": title, "text": text, "level": level, "part": part}


def _more(value: float | None, steps: tuple[float, float]) -> str:
    if value is None:
        return "unknown"
    return "bad" if value < steps[0] else "fair" if value < steps[1] else "good"


def _less(value: float | None, steps: tuple[float, float]) -> str:
    if value is None:
        return "good"
    return "bad" if value > steps[1] else "fair" if value > steps[0] else "good"


def _part(value: float | None, full: float) -> float:
    return 0.0 if value is None else round(min(1.0, max(0.0, value / full)), 3)


def _snr(of: Mapping[str, Any]) -> str:
    snr = of.get("snr")
    if snr is None:
        return f"unknown: {of['reason']}" if of.get("reason") else "unknown"
    return {"bad": "low: ", "fair": "fair: ", "good": "good: "}[_more(snr, SNR)] + f"{snr:.3g}"


def _saturated(part: float | None) -> str:
    if part is None:
        return "unknown"
    level = _less(part, SATURATED)
    if level == "good":
        return "none" if part == 0 else "hardly any"
    return f"clipped {_percent(part)}"


def _focus(of: Mapping[str, Any]) -> str:
    focus, sharpest = of.get("focus"), of.get("sharpest")
    if focus is None:
        return "unknown"
    word = {"bad": "soft: ", "fair": "rather soft: ", "good": "sharp: "}[_more(focus, FOCUS)]
    where = "" if sharpest is None else f", sharpest at z {sharpest}"
    return f"{word}{focus:.2g}{where}"


def _range(of: Mapping[str, Any]) -> str:
    used, bits = of.get("range"), of.get("bits")
    if used is None:
        return "unknown"
    word = {"bad": "hardly used: ", "fair": "little used: ", "good": ""}[_more(used, RANGE)]
    return f"{word}{_percent(used)} of {bits} bits"


def _background(of: Mapping[str, Any]) -> str:
    level, uneven = of.get("background"), of.get("unevenness")
    if level is None:
        return "unknown"
    if uneven is None:
        return f"{level:.4g}"
    word = {"bad": "uneven: ", "fair": "a little uneven: ", "good": "even: "}[_less(uneven, UNEVEN)]
    return f"{word}{level:.4g} ± {_percent(uneven / 2)}"


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %" if part >= 0.0995 else f"{100 * part:.2g} %"


def _planes(of: Mapping[str, Any]) -> str:
    """Return one line about planes, "" when there is nothing to say."""
    parts = []
    if empty := of.get("empty"):
        parts.append(f"{_several(empty, 'empty plane')}{_listed(of.get('empty_at') or [])}")
    if twice := of.get("duplicate"):
        parts.append(f"{_several(twice, 'repeated plane')}{_listed(of.get('duplicate_at') or [])}")
    return "; ".join(parts)


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _listed(planes: list[dict[str, Any]]) -> str:
    named = [
        " ".join(f"{axis} {plane[axis]}" for axis in "tcz" if axis in plane)
        for plane in planes[:LISTED]
    ]
    named = [name for name in named if name]
    more = ", …" if len(planes) > LISTED else ""
    return f" ({', '.join(named)}{more})" if named else ""
