"""Old data becomes records where it is: looked at, brought in by the batch, and pictured."""
