"""Sense's frames, device rows and timeline items, as typed data."""
