"""The simulated cloud's HTTP and websocket server."""
