"""Images of the catalog: searched for, looked at, put in order."""
