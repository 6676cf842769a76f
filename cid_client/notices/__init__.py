"""What I am told of without having asked."""
