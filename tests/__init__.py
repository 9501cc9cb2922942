"""The tests, and below `support` what they are built from."""
