"""What people say of records: in one step, as a sheet, in the words of a vocabulary."""
