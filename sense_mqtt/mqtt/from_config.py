"""From the configuration to the settings of the MQTT connection."""

from sense_mqtt.config import Config
from sense_mqtt.mqtt.settings import BrokerSettings, BrokerTls


def broker_settings(config: Config) -> BrokerSettings:
    """Return where the broker is and how it wants to be spoken to."""
    mqtt = config.mqtt
    password = mqtt.password
    tls = BrokerTls(mqtt.tls.ca_file, mqtt.tls.cert_file, mqtt.tls.key_file, mqtt.tls.server_name)
    return BrokerSettings(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=lambda: password.get_secret_value() if password else None,
        protocol=mqtt.protocol,
        transport=mqtt.transport,
        path=mqtt.path,
        client_id=f"{mqtt.client_id}{config.shard.suffix}",
        keepalive_s=mqtt.keepalive_s,
        tls=tls if mqtt.tls.enabled else None,
        state_dir=config.state_dir,
    )
