"""Olympus and Evident: OIB, OIF and VSI."""
