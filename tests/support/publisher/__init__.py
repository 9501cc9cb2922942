"""A publisher without a network."""
