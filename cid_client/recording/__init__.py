"""Interactive work as a template: what was done becomes a clean, parameterised notebook."""
