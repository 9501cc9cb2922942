"""`/metrics`: house, devices, energy, events, feed, broker, calls and process, in OpenMetrics."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    StateSetMetricFamily,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from sense_mqtt.core.energy.entities import topic_of
from sense_mqtt.core.energy.periods import COUNTERS, SCALES
from sense_mqtt.core.readings.bridge_entities import AUTH_STATES, FEEDS
from sense_mqtt.core.solar.sky import SKIES
from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.web.state import WebState
from sense_mqtt.web.view import house_figures, published

CONTENT_TYPE = CONTENT_TYPE_LATEST
MONITOR = ("monitor",)
DEVICE = ("monitor", "device", "name")
HOUSE_GAUGES = {  # by the reading's topic: name, description, label
    "power": ("sense_power_watts", "Consumption of the house"),
    "solar_power": ("sense_solar_power_watts", "Solar production"),
    "grid_power": ("sense_grid_power_watts", "Power from the grid; below 0: exported"),
    "surplus_power": ("sense_surplus_power_watts", "Production less consumption, never below 0"),
    "solar_share": ("sense_solar_share_percent", "Share of the consumption that the sun covers"),
    "frequency": ("sense_frequency_hertz", "Frequency of the mains"),
}
LEG_GAUGES = {
    "power": ("sense_leg_power_watts", "Power on one leg"),
    "voltage": ("sense_leg_voltage_volts", "Voltage of one leg"),
}
FLOWS = {counter: counter.removesuffix("_kwh") for counter in COUNTERS}
HEALTH_COUNTERS = {
    "frames": "Frames that were taken in",
    "events": "Events that were told",
    "reconnects": "Connections of the feed after the first",
    "bad_frames": "Messages of the feed that could not be read",
    "broker_connections": "Connections to the broker",
    "errors": "Items that the bridge could not deal with",
    "requests_unanswered": "Requests beyond what can be answered",
}
HEALTH_GAUGES = {
    "rest_last_hour": ("sense_mqtt_rest_calls_last_hour", "REST calls to Sense in the last hour"),
    "logins_last_hour": ("sense_mqtt_logins_last_hour", "Logins at Sense in the last hour"),
    "uptime_s": ("sense_mqtt_uptime_seconds", "Since the bridge started"),
}


class HouseCollector:
    """Reads the state whenever it is asked."""

    def __init__(self, state: WebState, browsers: Callable[[], int]) -> None:
        """`browsers`: how many show the page."""
        self._state = state
        self._browsers = browsers

    def collect(self) -> Iterator[Metric]:
        """Return all families; what is not known has no sample."""
        yield from self._house()
        yield from self._states()
        yield from self._devices()
        yield from self._energy()
        yield from self._events()
        yield from self._bridge()

    def _house(self) -> Iterator[Metric]:
        figures = {str(monitor): house_figures(now.home) for monitor, now in self._state.homes.items()}
        for key, (name, text) in HOUSE_GAUGES.items():
            family = GaugeMetricFamily(name, text, labels=MONITOR)
            for monitor, known in figures.items():
                _add(family, [monitor], known.get(key))
            yield family
        for key, (name, text) in LEG_GAUGES.items():
            family = GaugeMetricFamily(name, text, labels=("monitor", "leg"))
            for monitor, known in figures.items():
                for leg in ("1", "2"):
                    _add(family, [monitor, leg], known.get(f"leg_{leg}_{key}"))
            yield family

    def _states(self) -> Iterator[Metric]:
        online = GaugeMetricFamily("sense_online", "1 while fresh frames come", labels=MONITOR)
        frame = GaugeMetricFamily(
            "sense_last_frame_timestamp_seconds", "When the newest frame was measured", labels=MONITOR
        )
        expected = GaugeMetricFamily(
            "sense_expected_solar_power_watts", "What the roof gives now under a clear sky", labels=MONITOR
        )
        surplus = GaugeMetricFamily("sense_surplus", "1 while there is a surplus of solar power", labels=MONITOR)
        sky = StateSetMetricFamily("sense_sky", "The sky, as the roof tells it", labels=MONITOR)
        feed = StateSetMetricFamily("sense_feed", "How frames come", labels=MONITOR)
        for number, now in self._state.homes.items():
            monitor, home = [str(number)], now.home
            online.add_metric(monitor, float(home.online is True))
            _add(frame, monitor, home.last_frame.epoch if home.last_frame else None)
            _add(expected, monitor, published(home, None, "expected_solar_power"))
            _add(surplus, monitor, published(home, None, "surplus"))
            told = published(home, None, "sky")
            if told is not None:
                sky.add_metric(monitor, {each: each == told for each in SKIES})
            feed.add_metric(monitor, {each: each == now.feed for each in FEEDS})
        yield from (online, frame, expected, surplus, sky, feed)

    def _devices(self) -> Iterator[Metric]:
        power = GaugeMetricFamily("sense_device_power_watts", "Power of one device", labels=DEVICE)
        on = GaugeMetricFamily("sense_device_on", "1 while a device is on", labels=DEVICE)
        running = GaugeMetricFamily("sense_device_running", "1 during a cycle", labels=DEVICE)
        for number, now in self._state.homes.items():
            for identity, device in now.home.devices.items():
                labels = [str(number), identity, device.name]
                _add(power, labels, device.power_w)
                _add(on, labels, None if device.is_virtual else device.is_on)
                _add(running, labels, published(now.home, identity, "running"))
        yield from (power, on, running)

    def _energy(self) -> Iterator[Metric]:
        house = CounterMetricFamily("sense_energy_kwh", "Energy of the house, ever growing", labels=("monitor", "flow"))
        device = CounterMetricFamily("sense_device_energy_kwh", "Energy of one device, ever growing", labels=DEVICE)
        period = GaugeMetricFamily(
            "sense_period_energy_kwh", "Energy in the present period", labels=("monitor", "period", "flow")
        )
        for number, now in self._state.homes.items():
            monitor = str(number)
            for flow, kwh in _flows(published(now.home, None, "energy/total")):
                house.add_metric([monitor, flow], kwh)
            for scale in SCALES:
                for flow, kwh in _flows(published(now.home, None, topic_of(scale))):
                    period.add_metric([monitor, scale.lower(), flow], kwh)
            for identity, each in now.home.devices.items():
                for _, kwh in _flows(published(now.home, identity, "energy/total")):
                    device.add_metric([monitor, identity, each.name], kwh)
        yield from (house, device, period)

    def _events(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "sense_events",
            "Events since the start; device is empty for the house",
            labels=("monitor", "device", "type"),
        )
        for (monitor, device, event_type), count in self._state.event_counts.items():
            family.add_metric([str(monitor), device, event_type], count)
        yield family

    def _bridge(self) -> Iterator[Metric]:
        health, bridge = self._state.bridge.health, self._state.bridge
        info = InfoMetricFamily("sense_mqtt", "The bridge")
        info.add_metric([], {"version": self._state.version})
        yield info
        yield GaugeMetricFamily(
            "sense_mqtt_broker_connected", "1 while the broker is connected", value=float(bridge.is_connected)
        )
        auth = StateSetMetricFamily("sense_mqtt_login", "State of the login at Sense", labels=())
        auth.add_metric([], {each: each == health.get("auth") for each in AUTH_STATES})
        yield auth
        for key, text in HEALTH_COUNTERS.items():
            if key in health:
                yield CounterMetricFamily(f"sense_mqtt_{key}", text, value=health[key])
        for key, (name, text) in HEALTH_GAUGES.items():
            if key in health:
                yield GaugeMetricFamily(name, text, value=health[key])
        written = read_timestamp(health.get("time"))
        if written is not None:
            yield GaugeMetricFamily("sense_mqtt_health_timestamp_seconds", "When this was counted", value=written)
        queues = GaugeMetricFamily("sense_mqtt_queue_length", "What waits", labels=("queue",))
        for queue, length in health.get("queues", {}).items():
            queues.add_metric([queue], length)
        yield queues
        yield GaugeMetricFamily("sense_mqtt_browsers", "Browsers that show the page", value=self._browsers())


def _flows(document: Any) -> Iterator[tuple[str, float]]:
    figures: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
    return ((flow, figures[key]) for key, flow in FLOWS.items() if figures.get(key) is not None)


def _add(family: Any, labels: list[str], value: float | None) -> None:
    if value is not None:
        family.add_metric(labels, float(value))


def make_registry(state: WebState, browsers: Callable[[], int]) -> CollectorRegistry:
    """Return what is exposed."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HouseCollector(state, browsers))
    ProcessCollector(registry=registry)
    return registry


def write_metrics(registry: CollectorRegistry) -> bytes:
    """Return the text that Prometheus reads."""
    write: Any = generate_latest  # has no types
    text: bytes = write(registry)
    return text
