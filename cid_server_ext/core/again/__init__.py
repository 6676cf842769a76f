"""Runs once more: the same again, and what differs between two."""
