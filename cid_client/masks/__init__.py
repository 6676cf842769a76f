"""What an upload from a microscope must say."""
