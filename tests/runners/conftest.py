"""Fixtures: a catalog service of our own, and conductors on its queue."""

from house import conduct, house

__all__ = ["conduct", "house"]
