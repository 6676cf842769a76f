"""What a run was: its record, sealed and signed, and the ways from image to image."""
