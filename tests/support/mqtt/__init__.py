"""Brokers, connections to them, and a subscriber."""
