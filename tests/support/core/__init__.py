"""Frames, policies and simulated homes for the pure core."""
