"""How bytes go into the catalog."""
