"""Templates that run by themselves on what a saved search newly finds."""
