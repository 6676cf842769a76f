"""Executed notebooks as pages: made in a limited child, with nothing in them that does anything."""
