"""The facility's microscopes: what they were made of at each time."""
