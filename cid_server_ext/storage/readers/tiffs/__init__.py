"""TIFF in its kinds, PNG and JPEG."""
