"""Runs once more: replayed, applied to other images, and what differs between two."""
