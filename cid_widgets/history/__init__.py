"""Who did what and when, and taking it back."""
