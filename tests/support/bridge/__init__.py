"""A whole bridge without threads."""
