"""`sense-mqtt check`: from the configuration to Home Assistant, a line each, with what to do where something fails."""

from sense_mqtt.checking.checks import Edges
from sense_mqtt.checking.edges import connect
from sense_mqtt.checking.examining import Finding, examine

__all__ = ["Edges", "Finding", "connect", "examine"]
