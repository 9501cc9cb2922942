"""The configuration: what can be set, and how it is read."""

from sense_mqtt.config.example import example, schema
from sense_mqtt.config.load import load
from sense_mqtt.config.models import (
    Config,
    DefaultRules,
    DeviceSettings,
    EnergySettings,
    FeedSettings,
    HomeAssistantSettings,
    MqttSettings,
    PublishSettings,
    TlsSettings,
)
from sense_mqtt.config.sense_settings import AccountSettings, SenseSettings, ShardSettings

__all__ = [
    "AccountSettings",
    "Config",
    "DefaultRules",
    "DeviceSettings",
    "EnergySettings",
    "FeedSettings",
    "HomeAssistantSettings",
    "MqttSettings",
    "PublishSettings",
    "SenseSettings",
    "ShardSettings",
    "TlsSettings",
    "example",
    "load",
    "schema",
]
