"""Every topic name, built and parsed here only."""

from msgspec import Struct

from sense_mqtt.core.topic_ids import sanitize_id


class Topics(Struct, frozen=True):
    """The names below one base topic and one Home Assistant prefix."""

    base: str = "sense"
    prefix: str = "homeassistant"
    bridge_level: str = "bridge"  # another one for each of several processes that share a base topic

    def monitor(self, monitor: int, key: str) -> str:
        return f"{self.base}/{monitor}/{key}"

    def device(self, monitor: int, device: str, key: str) -> str:
        return f"{self.base}/{monitor}/device/{sanitize_id(device)}/{key}"

    def bridge(self, key: str) -> str:
        return f"{self.base}/{self.bridge_level}/{key}"

    def response(self, command: str) -> str:
        return self.bridge(f"response/{command}")

    @property
    def requests(self) -> str:
        """What to subscribe to for commands."""
        return self.bridge("request/#")

    @property
    def echoes(self) -> tuple[str, str, str]:
        """What to subscribe to for hearing our own events."""
        return (f"{self.base}/+/event", f"{self.base}/+/device/+/event", f"{self.base}/+/events")

    @property
    def presence(self) -> tuple[str, str]:
        """What to subscribe to for hearing whether somebody else says that we are not there."""
        return (self.bridge("state"), f"{self.base}/+/availability")

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """What the bridge subscribes to."""
        return (self.requests, self.birth, *self.echoes, *self.presence)

    def command(self, topic: str) -> str | None:
        """Return the command's name where the topic is a request, else None."""
        start = self.bridge("request/")
        return topic.removeprefix(start) if topic.startswith(start) else None

    @property
    def birth(self) -> str:
        """Where Home Assistant says `online` once it listens."""
        return f"{self.prefix}/status"

    @property
    def check_event(self) -> tuple[str, str]:
        """Where `sense-mqtt check` publishes an event, and the filter by which it hears it again."""
        return (self.bridge("event"), self.echoes[0])

    @property
    def check_request(self) -> tuple[str, str]:
        """Where it publishes to learn whether requests are heard: their filter takes in its own parent level."""
        return (self.bridge("request"), self.requests)

    @property
    def check_discovery(self) -> str:
        """Where it publishes nothing, in both senses: an empty `device` config would be a warning in Home Assistant."""
        return self.discovery("sensor/sense_mqtt_check", "check")

    def discovery(self, component: str, object_id: str) -> str:
        """Return a discovery topic; `component` is `device`, or the platform in `single` mode."""
        return f"{self.prefix}/{component}/{sanitize_id(object_id)}/config"
