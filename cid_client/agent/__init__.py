"""The acquisition agent: what a microscope writes goes into the catalog, and is only read."""
