"""The bridge: a loop that takes items out of the inbox, and its parts, each of which owns one kind of state."""
