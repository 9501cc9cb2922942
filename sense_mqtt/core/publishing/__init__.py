"""MQTT topics and messages, and the outbox that orders them."""
