"""The page of the house, `/metrics` and `/health`: a web server on a thread of its own."""
