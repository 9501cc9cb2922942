"""Runs of an hour, by hand: what years look like, in fast motion or in real time."""
