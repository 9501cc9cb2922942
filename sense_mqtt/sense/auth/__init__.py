"""Login to Sense: password, two-factor code, tokens, limits."""
