"""The journal between database and storage: written out, made into a catalog again, verified."""
