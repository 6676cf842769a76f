"""Zeiss: CZI."""
