"""Templates, runs, their results, and what a template's notebook calls."""
