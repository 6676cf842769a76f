"""What I am told without having asked."""
