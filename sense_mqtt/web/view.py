"""The documents that the page shows, made of what is known of a home and of the bridge."""

from collections.abc import Iterable, Mapping
from typing import Any

from sense_mqtt.core.health_rule import evaluate_health
from sense_mqtt.core.home.state import Device, Home
from sense_mqtt.core.readings.entities import HOUSE_READINGS
from sense_mqtt.web.history import MINUTES_MOST, History, NumberedEvent
from sense_mqtt.web.state import BridgeNow, HomeNow, WebState

PUBLISHED = ("surplus", "sky", "expected_solar_power", "energy/day", "energy/total")  # readings shown as published


def describe_home(monitor: int, now: HomeNow) -> dict[str, Any]:
    """Return the present of one home; what is not known is absent."""
    home, frame = now.home, now.home.last_frame
    document = {
        "monitor": monitor,
        "name": home.name,
        "time_zone": now.time_zone,
        "online": home.online is True,
        "feed": now.feed,
        "time": frame.epoch if frame else None,
        **house_figures(home),
        **{key: published(home, None, key) for key in PUBLISHED},
        "devices": [_describe_device(home, device) for device in home.devices.values() if device.info.id != "solar"],
    }
    return {key: value for key, value in document.items() if value is not None}


def house_figures(home: Home) -> dict[str, float]:
    """Return the readings of the newest frame, rounded as on MQTT."""
    frame = home.last_frame
    if frame is None:
        return {}
    figures = {row.topic: (row.measure(frame), row.decimals) for row in HOUSE_READINGS if row.measure}
    return {key: round(value, decimals or 0) for key, (value, decimals) in figures.items() if value is not None}


def published(home: Home, device: str | None, key: str) -> Any:
    """Return a reading as it was last published; None where it was not."""
    reading = home.published.get((device, key))
    return None if reading is None else reading.value


def _describe_device(home: Home, device: Device) -> dict[str, Any]:
    identity = device.info.id
    day: Any = published(home, identity, "energy/day")
    document = {
        "id": identity,
        "name": device.name,
        "icon": device.info.icon,
        "kind": device.info.kind,
        "on": None if device.is_virtual else device.is_on,
        "power_w": None if device.power_w is None else round(device.power_w, 1),
        "running": published(home, identity, "running"),
        "last_on": device.last_on,
        "last_off": device.last_off,
        "today_kwh": day.get("consumption_kwh") if isinstance(day, Mapping) else None,
    }
    return {key: value for key, value in document.items() if value is not None}


def describe_events(events: Iterable[NumberedEvent]) -> list[Mapping[str, Any]]:
    """Return events as they are told on MQTT, oldest first."""
    return [event.document for event in events]


def describe_history(history: History) -> dict[str, Any]:
    """Return the means of each minute: `start` in minutes since 1970, then one figure a minute; None: not known."""
    if not history.minutes:
        return {"start": 0, "power": [], "solar": []}
    end = history.minutes[-1].number
    minutes = [minute for minute in history.minutes if end - MINUTES_MOST < minute.number <= end]
    start = minutes[0].number
    power: list[float | None] = [None] * (end - start + 1)
    solar = list(power)
    for minute in minutes:
        power[minute.number - start], solar[minute.number - start] = minute.power_w, minute.solar_w
    return {"start": start, "power": power, "solar": solar if any(each is not None for each in solar) else []}


def describe_bridge(state: WebState, wall: float) -> dict[str, Any]:
    """Return how the bridge is doing; `wall` is Unix time."""
    bridge = state.bridge
    result = evaluate_health("online" if bridge.is_connected else "offline", bridge.health, wall)
    return {
        "version": state.version,
        "healthy": result.is_healthy,
        "verdict": result.text,
        "broker_connected": bridge.is_connected,
        "health": bridge.health,
        "problems": problems(bridge),
        "login": accounts_to_log_in(bridge),
        "monitors": [{"id": number, "name": each.home.name} for number, each in state.homes.items()],
    }


def accounts_to_log_in(bridge: BridgeNow) -> list[str]:
    """Return the names of the accounts that need a person to log in; "" is the one without a name."""
    accounts = bridge.health.get("accounts") or {"": bridge.health}
    return [name for name, account in accounts.items() if account.get("auth") == "auth_required"]


AUTH_PROBLEMS = {
    "auth_required": "Sense wants a person to log in: use the form on this page, or run `sense-mqtt login`.",
    "unavailable": "Sense cannot be reached or has an outage. It is tried again; nothing needs to be done.",
}
FEED_PROBLEMS = {
    "offline": "No frames come from monitor {}. Look whether it is online in Sense's app; the bridge's log says more.",
    "paused": "The feed of monitor {} is paused, as asked; `resume` on MQTT ends that.",
    "poll": "Sense refuses the live feed of monitor {}; readings come once a minute.",
    "snapshot": "Sense refuses the live feed of monitor {}; readings come once a minute.",
}


def problems(bridge: BridgeNow) -> list[str]:
    """Return what is wrong, and what to do about it."""
    found = [] if bridge.is_connected else ["The MQTT broker cannot be reached: look at `mqtt` in the configuration."]
    health = bridge.health
    found += [text for auth, text in AUTH_PROBLEMS.items() if health.get("auth") == auth]
    feeds = health.get("feeds", {})
    found += [FEED_PROBLEMS[feed].format(monitor) for monitor, feed in feeds.items() if feed in FEED_PROBLEMS]
    if health.get("errors"):
        found.append(f"{health['errors']} items could not be dealt with; the log says which. Please report it.")
    return found
