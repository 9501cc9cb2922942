"""A plain client of the simulated cloud."""
