"""The simulated cloud's payloads, as Sense sends them."""
