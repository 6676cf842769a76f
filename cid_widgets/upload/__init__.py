"""Files from this computer into the catalog."""
