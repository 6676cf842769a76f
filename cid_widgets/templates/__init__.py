"""What can be run, in which versions, and what changed from one to another."""
