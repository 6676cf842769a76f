"""The catalog's truth as rows: said whole, exported, folded out of the journal, loaded again."""
