"""sense-mqtt: the Sense Home Energy Monitor on MQTT."""

from importlib.metadata import version

__version__ = version("sense-mqtt")
