"""Projects, datasets, images, files and notes: what a catalog holds."""
