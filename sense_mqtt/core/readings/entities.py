"""THE table of entities: those that frames have, and those of each capability; the bridge's: bridge_entities.py.

Topics, payloads, throttling, Home Assistant discovery and docs/topics.md are derived from these rows.
"""

from msgspec.structs import replace

from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.entity import Entity, Measurement, number_entity
from sense_mqtt.core.wire import measurements

HOUSE_EVENTS = (
    "device_found",
    "device_renamed",
    "device_merged",
    "device_removed",
    "monitor_online",
    "monitor_offline",
)
DEVICE_EVENTS = (
    "turned_on",
    "turned_off",
    "idle",
    "cycle_finished",
)  # `idle` of plugs only, the last of washers and their like


# --- the templates that rows are made of

_POWER = number_entity("W", "power", 1, 0)
_SOLAR_POWER = replace(_POWER, solar_only=True)
_LEG_POWER = replace(_POWER, diagnostic=True)
_LEG_VOLTAGE = replace(number_entity("V", "voltage", 1, 1), diagnostic=True)
_FREQUENCY = replace(number_entity("Hz", "frequency", 2, 2), diagnostic=True)
_SHARE = replace(number_entity("%", None, 0, 0), solar_only=True, icon="mdi:solar-power-variant")


def _reading(template: Entity, key: str, name: str, description: str, measure: Measurement) -> Entity:
    return replace(template, key=key, name=name, topic=key, description=description, measure=measure)


# --- the tables

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
        enabled=False,  # Home Assistant's logbook has a line for each change
        throttle="minute",
        device_class="timestamp",
        diagnostic=True,
        always_available=True,
    ),
    *(row for capability in CAPABILITIES for row in capability.monitor_entities),
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
        icon="mdi:message-flash",
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
        platform="binary_sensor",  # without class: with `power` Home Assistant's logbook says "detected power"
        attributes="attributes",
        real_only=True,
    ),
    replace(_POWER, key="power", name="Power", topic="power", description="W; `0` when off", throttle="device"),
    Entity(
        key="event",
        name="Activity",
        topic="event",
        description="JSON, one message a transition, and one at the end of a cycle",
        platform="event",
        options=DEVICE_EVENTS,
        real_only=True,
    ),
    *(row for capability in CAPABILITIES for row in capability.device_entities),
)

VIRTUAL_DEVICE: tuple[Entity, ...] = tuple(row for row in DEVICE if not row.real_only)

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
