"""Cycles: the runs of a washer, dryer or dishwasher, each of several phases with pauses between them."""
