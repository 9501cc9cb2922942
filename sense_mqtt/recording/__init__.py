"""Recordings of what came from Sense: taken by the running bridge, without secrets, played back through the core."""
