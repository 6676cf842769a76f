"""Many records brought here at once, as files or as one archive."""
