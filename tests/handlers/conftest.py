"""Fixtures of the API's tests."""

from __future__ import annotations

from live import live as live
