"""The realtime feed of one monitor: websocket, polling, fallback between them."""
