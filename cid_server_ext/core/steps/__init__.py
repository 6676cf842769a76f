"""What follows a run by itself: the next template of a chain, on what the run has written."""
