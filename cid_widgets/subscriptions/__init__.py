"""What runs by itself in a project."""
