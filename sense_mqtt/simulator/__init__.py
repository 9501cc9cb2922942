"""Sense's cloud, made up: a house that draws power and the servers that tell of it. Shares no code with the rest."""
