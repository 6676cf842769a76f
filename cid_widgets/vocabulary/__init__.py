"""Terms and their values, kept in order."""
