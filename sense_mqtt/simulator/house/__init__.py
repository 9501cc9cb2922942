"""The simulated house: appliances, sun, measured recordings."""
