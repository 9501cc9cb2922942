"""Sense's REST interface."""
