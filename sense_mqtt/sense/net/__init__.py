"""Connections to Sense: TLS, deadlines, error causes."""
