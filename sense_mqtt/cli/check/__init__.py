"""`sense-mqtt check`: from the configuration to Home Assistant, a line each, with what to do where something fails."""

from sense_mqtt.cli.check.checks import Edges
from sense_mqtt.cli.check.environment import connect
from sense_mqtt.cli.check.runner import Finding, examine

__all__ = ["Edges", "Finding", "connect", "examine"]
