"""What is held, and what it costs."""
