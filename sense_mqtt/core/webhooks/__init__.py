"""Webhooks: which events each one gets, what is posted, and when a failed post is tried again."""
