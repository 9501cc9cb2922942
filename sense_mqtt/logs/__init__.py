"""What may stand in a log: no secret, and no condition again and again."""
