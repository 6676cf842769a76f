"""Imaris: IMS."""
