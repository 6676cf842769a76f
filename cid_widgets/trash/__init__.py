"""What was thrown away, and bringing it back."""
