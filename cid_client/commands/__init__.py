"""What can be done on a command line: one module for each command of `cid`."""
