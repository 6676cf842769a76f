"""What uploads must say, written by staff."""
