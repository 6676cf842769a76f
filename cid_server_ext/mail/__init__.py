"""Notices by mail: where they go out, how a letter reads, and the thread that sends them."""
