"""The queue: which run is driven next, by whom, until when, within which limits."""
