"""The quality of an image, as the service measures and judges it."""

from __future__ import annotations

from typing import Any

from cid_server_ext.core.catalog.judged import judged


def channel(name: str, **more: Any) -> dict[str, Any]:
    """One good channel."""
    return {
        "name": name,
        "snr": 18.4,
        "reason": "",
        "gain": 0.46,
        "saturated": 0.0,
        "range": 0.71,
        "bits": 12,
        "bits_from": "range",
        "lowest": 92.0,
        "highest": 3021.0,
        "focus": 0.081,
        "sharpest": 6,
        "background": 101.3,
        "unevenness": 0.034,
        "nan": 0,
        "infinite": 0,
    } | more


def quality() -> dict[str, Any]:
    """Three channels: a good one, a bad one, and one of which little is known."""
    channels = [
        channel("DAPI"),
        channel("GFP", snr=4.13, saturated=0.031, range=1.0, focus=0.0092, unevenness=0.31),
        channel(
            "Phalloidin", snr=None, reason="it was smoothed or compressed, its noise is gone",
            saturated=0.0012, range=0.11, focus=None, sharpest=None,
        ),
    ]  # fmt: skip
    empty = [{"t": 0, "c": 2, "z": z} for z in (0, 11)]
    planes = {"looked": 36, "empty": 2, "empty_at": empty, "duplicate": 1}
    planes["duplicate_at"] = [{"t": 0, "c": 1, "z": 8, "of": {"t": 0, "c": 1, "z": 7}}]
    told = judged({"version": 1, "channels": channels, "planes": planes})
    assert told is not None
    return told
