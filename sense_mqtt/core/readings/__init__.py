"""Present values: the table of readings, and when each is published."""
