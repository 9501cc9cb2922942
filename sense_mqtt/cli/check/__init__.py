"""`sense-mqtt check`: tests of each part, from the configuration to Home Assistant, with what to do on failure."""
