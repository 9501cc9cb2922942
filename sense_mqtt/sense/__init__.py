"""The cloud of Sense, for real: REST, session, realtime feed."""
