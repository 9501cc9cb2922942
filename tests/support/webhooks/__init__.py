"""Servers that webhooks post to."""
