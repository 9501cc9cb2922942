"""MQTT requests and their replies."""
