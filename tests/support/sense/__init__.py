"""Clients of a simulated Sense cloud, and servers that break the protocol."""
