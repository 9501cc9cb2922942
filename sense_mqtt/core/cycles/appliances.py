"""Which devices have a cycle, and how long nothing runs before it is over."""

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.wire.devices import DeviceInfo

DEFAULT_PAUSE_S = 300.0

# Sense's words without blanks and capitals: of UserDeviceType, or of Type where a device has no other.
_TYPES = frozenset({"washer", "washingmachine", "dryer", "electricdryer", "gasdryer", "dishwasher"})
# Where Sense tells no type. Both are of washers, dryers and dishwashers alike (samples: a dryer with `washer`, a
# washer with `dishes`).
_ICONS = frozenset({"washer", "dishes"})


def pause_s(info: DeviceInfo, rules: DeviceRules) -> float | None:
    """Return how long nothing must run before a cycle of this device is over, in seconds; None: it has no cycle."""
    if info.kind == "virtual":
        return None
    if rules.cycle_pause_s is not None:
        return rules.cycle_pause_s or None
    return DEFAULT_PAUSE_S if _runs_in_cycles(info) else None


def _runs_in_cycles(info: DeviceInfo) -> bool:
    if info.type is None:
        return info.icon in _ICONS
    return "".join(letter for letter in info.type.lower() if letter.isalpha()) in _TYPES
