"""What people say of records: the card of a project."""
