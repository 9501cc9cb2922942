"""The configuration of a bridge between a simulated cloud and a broker."""

from typing import Any

from sense_mqtt.simulator.server.cloud import SimulatedCloud


def configure(cloud: SimulatedCloud, broker_port: int, **more: Any) -> dict[str, Any]:
    """Return the configuration of a bridge between the two."""
    sense = {
        "email": cloud.email,
        "password": cloud.password,
        "api_url": cloud.api_url,
        "feed_url": cloud.feed_url,
    }
    given = {"sense": sense, "mqtt": {"host": "127.0.0.1", "port": broker_port}, **more}
    return {**given, "sense": {**sense, **more.get("sense", {})}}
