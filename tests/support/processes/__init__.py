"""The bridge and its commands in processes of their own."""
