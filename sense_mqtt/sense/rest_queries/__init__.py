"""REST queries on demand: the table of lookups and the thread that runs them."""
