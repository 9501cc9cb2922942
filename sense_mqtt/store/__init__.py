"""The journal: what survives a restart."""
