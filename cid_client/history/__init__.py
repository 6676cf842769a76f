"""What was done, and taking it back: the journal, undo, the trash."""
