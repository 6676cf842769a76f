"""Nikon: ND2."""
