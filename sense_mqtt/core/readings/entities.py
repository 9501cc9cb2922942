"""THE table: each reading's key, name, unit, rounding and interval, and how Home Assistant shows it.

Topics, payloads, throttling, Home Assistant discovery and docs/topics.md are derived from these rows. Which device
class, unit and state class go together: Home Assistant's sensor/const.py.
"""

from dataclasses import dataclass, replace
from typing import Literal

from sense_mqtt.core.readings import measures
from sense_mqtt.core.readings.measures import Measure

Pace = Literal["house", "device", "minute"]  # publish.house_interval_s, publish.device_interval_s, 60 s
Platform = Literal["sensor", "binary_sensor", "event", "button", "switch"]

SCALES = ("day", "week", "month", "year", "cycle")
PERIODS = {
    "day": "today",
    "week": "this week",
    "month": "this month",
    "year": "this year",
    "cycle": "this billing cycle",
}

FEEDS = ("stream", "poll", "snapshot", "paused", "offline")  # what `feed` of bridge/health may say, best first
HOUSE_EVENTS = (
    "device_found",
    "device_renamed",
    "device_merged",
    "device_removed",
    "monitor_online",
    "monitor_offline",
)
BRIDGE_EVENTS = ("rate_limited", "auth_required", "auth_ok", "feed_changed", "paused", "resumed", "check")
DEVICE_EVENTS = ("turned_on", "turned_off", "idle")  # the last of plugs only


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing that is told of a monitor, a device or the bridge."""

    key: str  # last part of its unique id in Home Assistant
    name: str | None  # in Home Assistant, beside the device's name; None: it is the device's main feature
    topic: str  # below the subject's own topic
    about: str  # for docs/topics.md
    read: Measure | None = None  # where it comes straight from a frame
    unit: str | None = None
    decimals: int | None = None  # of the payload; None: not a number
    shown_decimals: int | None = None  # what Home Assistant shows of them
    pace: Pace | None = None  # None: told as it happens
    platform: Platform = "sensor"
    device_class: str | None = None
    state_class: str | None = None
    field: str | None = None  # the payload is JSON and this its key; `{monitor}` in it is filled in
    words: tuple[str, ...] = ()  # the payload is one of these: a sensor's states, an event's types
    on_off: tuple[str, str] = ("ON", "OFF")  # what a binary sensor takes for on and off
    on_when: str | None = None  # a binary sensor's or switch's `field` means on when it says this
    command: str | None = None  # of core/commands/table.py, that a switch gives
    attributes: str | None = None  # topic below the subject's own, of JSON that belongs to this entity
    diagnostic: bool = False
    enabled: bool = True  # False: Home Assistant starts it disabled
    solar_only: bool = False  # Home Assistant shows it in homes with solar only
    outlives_feed: bool = False  # it is true, or works, also while the monitor's availability is `offline`


# --- the templates that rows are made of


def _measured(unit: str, device_class: str | None, decimals: int, shown_decimals: int) -> Entity:
    return Entity(
        key="",
        name=None,
        topic="",
        about="",
        unit=unit,
        decimals=decimals,
        shown_decimals=shown_decimals,
        pace="house",
        device_class=device_class,
        state_class="measurement",
    )


_POWER = _measured("W", "power", 1, 0)
_SOLAR_POWER = replace(_POWER, solar_only=True)
_LEG_POWER = replace(_POWER, diagnostic=True)
_LEG_VOLTAGE = replace(_measured("V", "voltage", 1, 1), diagnostic=True)
_FREQUENCY = replace(_measured("Hz", "frequency", 2, 2), diagnostic=True)
_SHARE = replace(_measured("%", None, 0, 0), solar_only=True)
_ENERGY = replace(_measured("kWh", "energy", 3, 2), pace=None, state_class="total")
_SHARE_OF_ENERGY = replace(_SHARE, pace=None)


def _reading(template: Entity, key: str, name: str, about: str, read: Measure) -> Entity:
    return replace(template, key=key, name=name, topic=key, about=about, read=read)


def _figure(template: Entity, field: str, name: str, about: str, *, solar_only: bool = True) -> Entity:
    return replace(template, field=field, name=name, about=about, solar_only=solar_only)


def _on_every_scale(figure: Entity) -> tuple[Entity, ...]:
    stem = str(figure.field).rpartition("_")[0]
    return tuple(
        replace(
            figure,
            key=f"{stem}_{scale}",
            name=f"{figure.name} {PERIODS[scale]}",
            topic=f"energy/{scale}",
            about=f"{figure.about} {PERIODS[scale]}",
            enabled=scale == "day",
        )
        for scale in SCALES
    )


# --- the tables

HOUSE_FIGURES: tuple[Entity, ...] = (
    _figure(_ENERGY, "consumption_kwh", "Energy", "kWh used by the house", solar_only=False),
    _figure(_ENERGY, "production_kwh", "Solar energy", "kWh produced by solar"),
    _figure(_ENERGY, "from_grid_kwh", "Energy from grid", "kWh imported"),
    _figure(_ENERGY, "to_grid_kwh", "Energy to grid", "kWh exported"),
    _figure(_ENERGY, "net_production_kwh", "Net solar energy", "kWh, production less consumption"),
    _figure(_SHARE_OF_ENERGY, "solar_powered_pct", "Solar powered", "% of the consumption covered by solar"),
)

MONITOR: tuple[Entity, ...] = (
    _reading(_POWER, "power", "Power", "W, whole house consumption; never below 0", measures.power),
    _reading(_SOLAR_POWER, "solar_power", "Solar power", "W, production; never below 0", measures.solar_power),
    _reading(_SOLAR_POWER, "grid_power", "Grid power", "W, power less solar; below 0: exporting", measures.grid_power),
    _reading(
        _SHARE,
        "solar_share",
        "Solar share",
        "%, share of the present consumption covered by solar",
        measures.solar_share,
    ),
    _reading(_LEG_POWER, "leg_1_power", "Leg 1 power", "W on leg 1", measures.leg_1_power),
    _reading(_LEG_POWER, "leg_2_power", "Leg 2 power", "W on leg 2", measures.leg_2_power),
    _reading(_LEG_VOLTAGE, "leg_1_voltage", "Leg 1 voltage", "V on leg 1", measures.leg_1_voltage),
    _reading(_LEG_VOLTAGE, "leg_2_voltage", "Leg 2 voltage", "V on leg 2", measures.leg_2_voltage),
    _reading(_FREQUENCY, "frequency", "Frequency", "Hz, mains", measures.frequency),
    Entity(
        key="last_frame",
        name="Last frame",
        topic="last_frame",
        about="time of the newest frame",
        pace="minute",
        device_class="timestamp",
        diagnostic=True,
        outlives_feed=True,
    ),
    *(row for figure in HOUSE_FIGURES for row in _on_every_scale(figure)),
    Entity(
        key="connectivity",
        name="Connectivity",
        topic="availability",
        about="`online` / `offline`: fresh data arrives from this monitor, or not",
        platform="binary_sensor",
        device_class="connectivity",
        on_off=("online", "offline"),
        diagnostic=True,
        outlives_feed=True,
    ),
    Entity(
        key="event",
        name="Activity",
        topic="event",
        about="JSON, what happens to the house and not to one appliance",
        platform="event",
        words=HOUSE_EVENTS,
        outlives_feed=True,
    ),
)

DEVICE: tuple[Entity, ...] = (
    Entity(
        key="state",
        name=None,
        topic="state",
        about="`ON` / `OFF`",
        platform="binary_sensor",
        device_class="power",
        attributes="attributes",
    ),
    replace(_POWER, key="power", name="Power", topic="power", about="W; `0` when off", pace="device"),
    Entity(
        key="event",
        name="Activity",
        topic="event",
        about="JSON, one message a transition",
        platform="event",
        words=DEVICE_EVENTS,
    ),
    *_on_every_scale(_figure(_ENERGY, "consumption_kwh", "Energy", "kWh used by the device", solar_only=False)),
)

VIRTUAL_DEVICE: tuple[Entity, ...] = tuple(row for row in DEVICE if row.key not in ("state", "event"))  # contract 1.2

BRIDGE: tuple[Entity, ...] = (
    Entity(
        key="feed",
        name="Feed",
        topic="health",
        about="how frames come",
        device_class="enum",
        field="feeds['{monitor}']",
        words=FEEDS,
        diagnostic=True,
        outlives_feed=True,
    ),
    Entity(
        key="login",
        name="Login",
        topic="health",
        about="whether a person must log in",
        platform="binary_sensor",
        device_class="problem",
        field="auth",
        on_when="auth_required",
        diagnostic=True,
        outlives_feed=True,
    ),
    Entity(
        key="pause",
        name="Pause",
        topic="health",
        about="lets go of Sense's connection for ten minutes, so that the app's live meter is free",
        platform="switch",
        field="feeds['{monitor}']",
        on_when="paused",
        command="pause",
        outlives_feed=True,
    ),
    Entity(
        key="refresh",
        name="Refresh",
        topic="request/refresh",
        about="reads devices and energy again now",
        platform="button",
        diagnostic=True,
        outlives_feed=True,
    ),
)

READINGS = tuple(row for row in MONITOR if row.read is not None)
