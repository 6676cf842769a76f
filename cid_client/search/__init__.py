"""Asking for records: questions, pages of answers, facets, completion."""
