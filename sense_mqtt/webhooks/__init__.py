"""Webhooks: HTTP POST of events, one thread for each hook."""
