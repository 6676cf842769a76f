"""A picture of five spots, and the room its project has in bytes."""

CENTRES = [(40, 40), (40, 120), (100, 60), (100, 180), (160, 120)]
ROOM = 10**9
