"""A template is checked before it is published: what it says of itself, and that it is true."""
