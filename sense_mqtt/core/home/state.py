"""What is known of a home, and what can be observed of it beside frames; core/observe.py joins the two."""

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct, field

from sense_mqtt.core.changes import Value
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.edges import Edge, State
from sense_mqtt.core.home.identities import Identities
from sense_mqtt.core.home.plain_frames import SLACK_S, PlainFrames
from sense_mqtt.core.solar_rules import SolarRules
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.transitions.on_off import SwitchState
from sense_mqtt.core.transitions.reconcile import Decision
from sense_mqtt.core.wire.devices import DeviceInfo, DevicePower
from sense_mqtt.core.wire.frames import RealtimeUpdate


class Published(msgspec.Struct, frozen=True):
    """The value of a reading as it was last published."""

    value: Value
    at: float  # monotonic seconds


Subject = tuple[str | None, str]  # of a reading: its device (None: the house) and its key


class Waiting(msgspec.Struct, frozen=True):
    """Readings that have changed while their interval runs, so that nothing is looked at before it is over."""

    until: Mapping[Subject, float] = MappingProxyType({})  # monotonic s
    first: float = math.inf  # the least of them

    def not_held(self, devices: Iterable[str], key: str, now: float) -> list[str]:
        """Return those of the devices whose reading is not known to have changed while its interval runs on."""
        until, latest = self.until, now + SLACK_S
        return [device for device in devices if until.get((device, key), now) <= latest]

    def due(self, now: float) -> list[Subject]:
        """Return the readings whose interval is over."""
        if self.first - SLACK_S > now:
            return []
        return [subject for subject, at in self.until.items() if at - SLACK_S <= now]

    def all_due(self) -> "Waiting":
        """Return what waits once each interval may be another one."""
        return Waiting(dict.fromkeys(self.until, -math.inf), -math.inf) if self.until else self

    def with_more(self, until: Mapping[Subject, float]) -> "Waiting":
        """Return what waits once these do too."""
        return Waiting({**self.until, **until}, min(self.first, *until.values())) if until else self

    def without(self, done: Iterable[Subject], until: Mapping[Subject, float]) -> "Waiting":
        """Return what waits once those that are `done` wait no more, but these do."""
        over = {*done}
        waiting = {subject: at for subject, at in self.until.items() if subject not in over}
        waiting.update(until)
        return Waiting(waiting, min(waiting.values(), default=math.inf))


# A table, as this is asked several times for each device in each frame.
_IS_ON = {State.UNKNOWN: None, State.OFF: False, State.ON: True, State.IDLE: False}


class Device(msgspec.Struct, frozen=True):
    """One device that people know by name."""

    info: DeviceInfo  # as last described
    name: str  # the user's, else Sense's
    switch: SwitchState = SwitchState()
    power_w: float | None = None  # None: not known
    last_on: float | None = None  # seconds UTC
    last_off: float | None = None
    edges: tuple[Edge, ...] = ()  # that were published, oldest first
    framed_name: str | None = None  # as frames call it; the list may differ, and for long
    listed_name: str | None = None  # as the list of devices calls it

    @property
    def is_virtual(self) -> bool:
        return self.info.kind == "virtual"

    @property
    def is_on(self) -> bool | None:
        """None where no frame has shown it yet."""
        return _IS_ON[self.switch.state]

    @property
    def is_at_rest(self) -> bool:
        """True where a further frame that does not list the device changes nothing."""
        return self.power_w == 0.0 and self.switch.is_settled_off


class Steady(msgspec.Struct, frozen=True):
    """What the last frame left behind, so that the next one is compared with it: see samples.py."""

    devices: Mapping[str, Device] | None = None  # of the home after that frame; None: nothing is passed over
    rows: Mapping[str, DevicePower] = MappingProxyType({})  # in that frame, of devices that go on as they did
    held_ws: Mapping[str, float] = MappingProxyType({})  # of each of them, watt-seconds since its last sample
    unsteady: frozenset[str] = frozenset()  # devices that are evaluated with each frame, whether it lists them or not
    time: float = 0.0  # s UTC of that frame
    arrived: float = 0.0  # monotonic s


class Policy(Struct, frozen=True):
    """What the user has configured for one home."""

    rules: Callable[[str], DeviceRules]
    device_interval_s: float = 60.0
    house_interval_s: float = 10.0
    jump_w: float | None = None
    stale_after_s: float = 45.0  # without a frame for so long the house is `offline`
    energy_interval_s: float = 900.0  # between two readings of the energy of the day
    solar: SolarRules = field(default_factory=SolarRules)


class Home(msgspec.Struct, frozen=True):
    """All that is known of one home; replaced as a whole, never changed."""

    monitor: int
    name: str = "Sense"  # as Home Assistant shows it
    solar: bool | None = None
    firmware: str | None = None  # of the monitor
    devices: Mapping[str, Device] = MappingProxyType({})
    hidden: frozenset[str] = frozenset()  # ids that the list of devices hides
    identities: Identities = Identities()  # which of Sense's ids are which device
    topic_ids: Mapping[str, str] = MappingProxyType({})  # of ids whose topics are taken
    is_full: bool = False  # a device was left out, as there are MAX_DEVICES already
    has_device_list: bool = False  # the list of devices was read at least once, ever
    last_frame: RealtimeUpdate | None = None  # with the time at which it came where it told none
    solar_seen_at: float | None = None  # monotonic s, when the last frame came that had solar power
    house_published_at: float | None = None  # monotonic s, when readings of the house were last published
    online: bool | None = None  # as last published in `availability`
    steady: Steady = Steady()  # devices that go on as they did
    coverage: Coverage = Coverage()  # which times frames have covered
    plain: PlainFrames | None = None  # frames since then: but for them, all else here is as before them
    pending_items: tuple[Edge, ...] = ()  # of the timeline, not decided yet, oldest first
    decisions: tuple[tuple[Edge, Decision], ...] = ()  # what became of the items that were decided last
    capabilities: Mapping[str, Any] = MappingProxyType({})  # state of each, by its key
    published: Mapping[Subject, Published] = MappingProxyType({})
    waiting: Waiting = Waiting()  # to be published

    @property
    def known_ids(self) -> frozenset[str]:
        """Sense's ids of which frames need no description: known devices, what was merged into them, what is hidden."""
        if self.plain is not None:
            return self.plain.limits.known_ids
        aliases, parents = self.identities.aliases.items(), self.identities.parents
        return frozenset(
            (*self.devices, *self.hidden, *parents, *(each for each, own in aliases if own in self.devices))
        )

    @property
    def newest_epoch(self) -> float | None:
        """Of the newest frame, s UTC; where that told none, when it came; None: no frame has come, ever."""
        frame = self.plain.frame if self.plain else self.last_frame
        return frame.epoch if frame else self.coverage.last_epoch

    @property
    def held_devices(self) -> list[Device]:
        """The devices of which a change is held back."""
        if self.steady.devices is self.devices and not self.steady.unsteady:
            return []
        return [device for device in self.devices.values() if device.switch.held]

    def id_of(self, sense_id: str) -> str:
        """Return the id under which a device is known here; Sense gives another one to a merged or re-added device."""
        return self.identities.id_of(sense_id)


# --- what can be observed, beside the frames of core/wire/frames.py


class Tick(msgspec.Struct, frozen=True):
    """A second went by, and no frame waits."""


class PolicyChanged(msgspec.Struct, frozen=True):
    """The configuration was read again: from now on another policy is handed in."""


class Interrupted(msgspec.Struct, frozen=True):
    """The feed ended: the next frame is the first after a gap."""


class DevicesListed(msgspec.Struct, frozen=True):
    """The list of devices as REST gives it, hidden ones included."""

    rows: tuple[DeviceInfo, ...]


class QueryResult(msgspec.Struct, frozen=True):
    """What Sense answered to a query of a capability."""

    capability: str  # its key
    query: str  # its name there
    result: Any
