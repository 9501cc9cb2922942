"""One row of the table of entities: topic, unit, rounding, interval, and how Home Assistant shows it.

Which device class, unit and state class go together: Home Assistant's sensor/const.py.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from sense_mqtt.core.wire.frames import RealtimeUpdate

Measurement = Callable[[RealtimeUpdate], float | None]
Throttle = Literal["house", "device", "minute"]  # publish.house_interval_s, publish.device_interval_s, 60 s
Platform = Literal["sensor", "binary_sensor", "event", "button", "switch", "select"]


class Entity(Struct, frozen=True):
    """One thing that is published of a monitor, a device or the bridge."""

    key: str  # last part of its unique id in Home Assistant
    name: str | None  # in Home Assistant, beside the device's name; None: it is the device's main feature
    topic: str  # below the monitor's, device's or bridge's own topic; readings name it as their `key`
    description: str  # for docs/topics.md
    measure: Measurement | None = None  # where it comes straight from a frame
    unit: str | None = None
    decimals: int | None = None  # of the payload; None: not a number
    display_decimals: int | None = None  # what Home Assistant shows of them
    throttle: Throttle | None = None  # None: published as it happens
    platform: Platform = "sensor"
    icon: str | None = None  # in Home Assistant; None: that of its class, of a device that of the device
    device_class: str | None = None
    state_class: str | None = None
    field: str | None = None  # the payload is JSON and this its key; `{monitor}` in it is filled in
    options: tuple[str, ...] = ()  # the payload is one of these: a sensor's or select's states, an event's types
    on_off_payloads: tuple[str, str] = ("ON", "OFF")  # what a binary sensor takes for on and off
    on_when: str | bool | None = None  # a binary sensor's or switch's `field` means on when it says this
    command: str | None = None  # of core/commands/table.py, that a switch or select gives
    argument: str | None = None  # of the command, that a select fills in
    attributes: str | None = None  # topic below the device's own, of JSON that belongs to this entity
    diagnostic: bool = False
    config: bool = False  # it sets something
    enabled: bool = True  # False: Home Assistant starts it disabled
    solar_only: bool = False  # Home Assistant shows it in homes with solar only
    one_monitor: bool = False  # of the bridge: only while it serves no second monitor
    real_only: bool = False  # not of virtual devices (always_on, unknown), which never switch
    always_available: bool = False  # it is true, or works, also while the monitor's availability is `offline`


def number_entity(unit: str, device_class: str | None, decimals: int, display_decimals: int) -> Entity:
    """Return what all sensors with this unit share; `dataclasses.replace` fills in the rest."""
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
