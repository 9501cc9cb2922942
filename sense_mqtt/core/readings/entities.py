"""THE table: each reading's key, name, unit, rounding and interval, and how Home Assistant shows it.

Topics, payloads, throttling, Home Assistant discovery and docs/topics.md are derived from these rows. Which device
class, unit and state class go together: Home Assistant's sensor/const.py.
"""

from dataclasses import dataclass, replace
from typing import Literal

from sense_mqtt.core.readings import measurements as measurements
from sense_mqtt.core.readings.measurements import Measurement

Throttle = Literal["house", "device", "minute"]  # publish.house_interval_s, publish.device_interval_s, 60 s
Platform = Literal["sensor", "binary_sensor", "event", "button", "switch"]

SCALES = ("day", "week", "month", "year", "cycle")
PERIOD_NAMES = {
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
    description: str  # for docs/topics.md
    measure: Measurement | None = None  # where it comes straight from a frame
    unit: str | None = None
    decimals: int | None = None  # of the payload; None: not a number
    display_decimals: int | None = None  # what Home Assistant shows of them
    throttle: Throttle | None = None  # None: told as it happens
    platform: Platform = "sensor"
    device_class: str | None = None
    state_class: str | None = None
    field: str | None = None  # the payload is JSON and this its key; `{monitor}` in it is filled in
    options: tuple[str, ...] = ()  # the payload is one of these: a sensor's states, an event's types
    on_off_payloads: tuple[str, str] = ("ON", "OFF")  # what a binary sensor takes for on and off
    on_when: str | None = None  # a binary sensor's or switch's `field` means on when it says this
    command: str | None = None  # of core/commands/table.py, that a switch gives
    attributes: str | None = None  # topic below the subject's own, of JSON that belongs to this entity
    diagnostic: bool = False
    enabled: bool = True  # False: Home Assistant starts it disabled
    solar_only: bool = False  # Home Assistant shows it in homes with solar only
    always_available: bool = False  # it is true, or works, also while the monitor's availability is `offline`


# --- the templates that rows are made of


def _measured(unit: str, device_class: str | None, decimals: int, display_decimals: int) -> Entity:
    return Entity(
        key="",
        name=None,
        topic="",
        description="",
        unit=unit,
        decimals=decimals,
        display_decimals=display_decimals,
        throttle="house",
        device_class=device_class,
        state_class="measurement",
    )


_POWER = _measured("W", "power", 1, 0)
_SOLAR_POWER = replace(_POWER, solar_only=True)
_LEG_POWER = replace(_POWER, diagnostic=True)
_LEG_VOLTAGE = replace(_measured("V", "voltage", 1, 1), diagnostic=True)
_FREQUENCY = replace(_measured("Hz", "frequency", 2, 2), diagnostic=True)
_SHARE = replace(_measured("%", None, 0, 0), solar_only=True)
_ENERGY = replace(_measured("kWh", "energy", 3, 2), throttle=None, state_class="total")
_SHARE_OF_ENERGY = replace(_SHARE, throttle=None)


def _reading(template: Entity, key: str, name: str, description: str, measure: Measurement) -> Entity:
    return replace(template, key=key, name=name, topic=key, description=description, measure=measure)


def _figure(template: Entity, field: str, name: str, description: str, *, solar_only: bool = True) -> Entity:
    return replace(template, field=field, name=name, description=description, solar_only=solar_only)


def _on_every_scale(figure: Entity) -> tuple[Entity, ...]:
    stem = str(figure.field).rpartition("_")[0]
    return tuple(
        replace(
            figure,
            key=f"{stem}_{scale}",
            name=f"{figure.name} {PERIOD_NAMES[scale]}",
            topic=f"energy/{scale}",
            description=f"{figure.description} {PERIOD_NAMES[scale]}",
            enabled=scale == "day",
        )
        for scale in SCALES
    )


# --- the tables

HOUSE_ENERGY: tuple[Entity, ...] = (
    _figure(_ENERGY, "consumption_kwh", "Energy", "kWh used by the house", solar_only=False),
    _figure(_ENERGY, "production_kwh", "Solar energy", "kWh produced by solar"),
    _figure(_ENERGY, "from_grid_kwh", "Energy from grid", "kWh imported"),
    _figure(_ENERGY, "to_grid_kwh", "Energy to grid", "kWh exported"),
    _figure(_ENERGY, "net_production_kwh", "Net solar energy", "kWh, production less consumption"),
    _figure(_SHARE_OF_ENERGY, "solar_powered_pct", "Solar powered", "% of the consumption covered by solar"),
)

MONITOR: tuple[Entity, ...] = (
    _reading(_POWER, "power", "Power", "W, whole house consumption; never below 0", measurements.power),
    _reading(_SOLAR_POWER, "solar_power", "Solar power", "W, production; never below 0", measurements.solar_power),
    _reading(
        _SOLAR_POWER, "grid_power", "Grid power", "W, power less solar; below 0: exporting", measurements.grid_power
    ),
    _reading(
        _SHARE,
        "solar_share",
        "Solar share",
        "%, share of the present consumption covered by solar",
        measurements.solar_share,
    ),
    _reading(_LEG_POWER, "leg_1_power", "Leg 1 power", "W on leg 1", measurements.leg_1_power),
    _reading(_LEG_POWER, "leg_2_power", "Leg 2 power", "W on leg 2", measurements.leg_2_power),
    _reading(_LEG_VOLTAGE, "leg_1_voltage", "Leg 1 voltage", "V on leg 1", measurements.leg_1_voltage),
    _reading(_LEG_VOLTAGE, "leg_2_voltage", "Leg 2 voltage", "V on leg 2", measurements.leg_2_voltage),
    _reading(_FREQUENCY, "frequency", "Frequency", "Hz, mains", measurements.frequency),
    Entity(
        key="last_frame",
        name="Last frame",
        topic="last_frame",
        description="time of the newest frame",
        throttle="minute",
        device_class="timestamp",
        diagnostic=True,
        always_available=True,
    ),
    *(row for figure in HOUSE_ENERGY for row in _on_every_scale(figure)),
    Entity(
        key="connectivity",
        name="Connectivity",
        topic="availability",
        description="`online` / `offline`: fresh data arrives from this monitor, or not",
        platform="binary_sensor",
        device_class="connectivity",
        on_off_payloads=("online", "offline"),
        diagnostic=True,
        always_available=True,
    ),
    Entity(
        key="event",
        name="Activity",
        topic="event",
        description="JSON, what happens to the house and not to one appliance",
        platform="event",
        options=HOUSE_EVENTS,
        always_available=True,
    ),
)

DEVICE: tuple[Entity, ...] = (
    Entity(
        key="state",
        name=None,
        topic="state",
        description="`ON` / `OFF`",
        platform="binary_sensor",
        device_class="power",
        attributes="attributes",
    ),
    replace(_POWER, key="power", name="Power", topic="power", description="W; `0` when off", throttle="device"),
    Entity(
        key="event",
        name="Activity",
        topic="event",
        description="JSON, one message a transition",
        platform="event",
        options=DEVICE_EVENTS,
    ),
    *_on_every_scale(_figure(_ENERGY, "consumption_kwh", "Energy", "kWh used by the device", solar_only=False)),
)

VIRTUAL_DEVICE: tuple[Entity, ...] = tuple(row for row in DEVICE if row.key not in ("state", "event"))  # contract 1.2

BRIDGE: tuple[Entity, ...] = (
    Entity(
        key="feed",
        name="Feed",
        topic="health",
        description="how frames come",
        device_class="enum",
        field="feeds['{monitor}']",
        options=FEEDS,
        diagnostic=True,
        always_available=True,
    ),
    Entity(
        key="login",
        name="Login",
        topic="health",
        description="whether a person must log in",
        platform="binary_sensor",
        device_class="problem",
        field="auth",
        on_when="auth_required",
        diagnostic=True,
        always_available=True,
    ),
    Entity(
        key="pause",
        name="Pause",
        topic="health",
        description="lets go of Sense's connection for ten minutes, so that the app's live meter is free",
        platform="switch",
        field="feeds['{monitor}']",
        on_when="paused",
        command="pause",
        always_available=True,
    ),
    Entity(
        key="refresh",
        name="Refresh",
        topic="request/refresh",
        description="reads devices and energy again now",
        platform="button",
        diagnostic=True,
        always_available=True,
    ),
)

HOUSE_READINGS = tuple(row for row in MONITOR if row.measure is not None)

_BY_TOPIC = {
    (is_device, row.topic): row
    for is_device, rows in ((False, MONITOR), (True, DEVICE))
    for row in rows
    if row.field is None
}
_DOCUMENT = Entity("", None, "", "JSON")  # of several figures, each with a row of its own, or none


def entity_of(device: str | None, key: str) -> Entity:
    """Return the row of a reading; one without format where the reading is a document."""
    return _BY_TOPIC.get((device is not None, key), _DOCUMENT)
