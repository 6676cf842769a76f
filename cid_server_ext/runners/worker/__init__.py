"""What a worker has for one run: its folder, its log, its meter, and how it delivers."""
