"""On/off transitions: from frames and from Sense's timeline, each published once."""
