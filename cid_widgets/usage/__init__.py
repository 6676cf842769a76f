"""What takes the room, and what it costs."""
