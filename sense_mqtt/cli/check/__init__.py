"""`sense-mqtt check`: from the configuration to Home Assistant, a line each, with what to do where something fails."""
