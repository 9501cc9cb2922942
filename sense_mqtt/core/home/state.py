"""What we know of a house, and what can be seen of it beside frames; observing.py joins the two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from sense_mqtt.core.changes import Value
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.energy.periods import AcceptedEnergy, Energy
from sense_mqtt.core.transitions.alignment import Known
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.transitions.on_off import SwitchState
from sense_mqtt.core.wire.devices import DeviceInfo
from sense_mqtt.core.wire.frames import RealtimeUpdate


@dataclass(frozen=True, slots=True)
class Published:
    """The value of a reading as it was last published."""

    value: Value
    at: float  # monotonic seconds


class Device(NamedTuple):
    """One device that people know by name."""

    info: DeviceInfo  # as last described
    name: str  # the user's, else Sense's
    switch: SwitchState = SwitchState()
    power_w: float | None = None  # None: not known
    last_on: float | None = None  # seconds UTC
    last_off: float | None = None
    known: tuple[Known, ...] = ()  # edges that were told, oldest first
    framed_name: str | None = None  # as frames call it; the list may differ, and for long
    listed_name: str | None = None  # as the list of devices calls it

    @property
    def is_virtual(self) -> bool:
        return self.info.kind == "virtual"

    @property
    def on(self) -> bool | None:
        return None if self.switch.state is None else self.switch.state == "on"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user wants of one house."""

    rules: Callable[[str], DeviceRules]
    device_interval_s: float = 60.0
    house_interval_s: float = 10.0
    jump_w: float | None = None
    stale_after_s: float = 45.0  # without a frame for so long the house is `offline`


@dataclass(frozen=True, slots=True)
class Home:
    """All that is known of one house; replaced as a whole, never changed."""

    monitor: int
    name: str = "Sense"  # as Home Assistant shows it
    solar: bool | None = None
    firmware: str | None = None  # of the monitor
    devices: Mapping[str, Device] = field(default_factory=lambda: MappingProxyType({}))
    hidden: frozenset[str] = frozenset()  # ids that the list of devices hides
    topic_ids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # of ids whose topics are taken
    is_full: bool = False  # a device was left out, as there are MAX_DEVICES already
    has_device_list: bool = False  # the list of devices was read at least once, ever
    gap: bool = True  # the next frame is the first after a gap
    landed: bool = False  # the frame before was the first after a gap
    stepped_back: bool = False  # the frame before was older than its predecessor
    newest: float | None = None  # epoch of the newest frame, seconds UTC
    arrived: float | None = None  # monotonic seconds, when the last frame came
    last_frame: RealtimeUpdate | None = None  # with the time at which it came where it told none
    solar_seen_at: float | None = None  # monotonic seconds, when the last frame came that told the sun's watts
    house_published_at: float | None = None  # monotonic seconds, when readings of the house were last told
    online: bool | None = None  # as last told by `availability`
    coverage: Coverage = field(default_factory=Coverage)  # what the timeline may still tell
    energy: Mapping[str, AcceptedEnergy] = field(default_factory=lambda: MappingProxyType({}))  # by scale
    published: Mapping[tuple[str | None, str], Published] = field(default_factory=lambda: MappingProxyType({}))


# --- what can be seen, beside the frames of core/wire/frames.py


@dataclass(frozen=True, slots=True)
class Tick:
    """A second went by and nothing waits."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Frames were interrupted: the next one may differ from the last by more than one step."""


@dataclass(frozen=True, slots=True)
class DevicesListed:
    """The list of devices as REST gives it, hidden ones included."""

    rows: tuple[DeviceInfo, ...]


@dataclass(frozen=True, slots=True)
class EnergyRead:
    """Energy of one period."""

    energy: Energy
