"""The houses that the bridge knows: what is seen goes in, what is new goes to the publisher, events by the journal."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sense_mqtt.bridge.debug_log import DebugLog
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.clock import Moment
from sense_mqtt.core import discovery
from sense_mqtt.core.changes import Change, Introduction, Reading, Withdrawal
from sense_mqtt.core.home import Device, Home, Policy, Tick
from sense_mqtt.core.memory import recall, remember
from sense_mqtt.core.messages import say
from sense_mqtt.core.observing import Seen, observe
from sense_mqtt.core.outgoing import Message, Rank
from sense_mqtt.core.replies import write_json
from sense_mqtt.core.telling import describe
from sense_mqtt.journal import Journal
from sense_mqtt.sense.tokens import Account, Monitor

BRIDGE = 0  # in the journal, in place of a monitor's id
STRANDED = {"stranded": True}


@dataclass(frozen=True, slots=True)
class News:
    """What one thing seen led to."""

    events: int
    stranger: bool  # a device was seen that was not known


class Houses:
    """Owns what is known of each house. For the bridge's thread only."""

    def __init__(self, publisher: Publisher, journal: Journal, policy: Policy, style: discovery.Style) -> None:
        self._publisher = publisher
        self._journal = journal
        self._style = style
        self._policy = policy
        self._policies: dict[int, Policy] = {}
        self._debug_log = DebugLog()
        self._homes: dict[int, Home] = {}
        self._is_stranded = journal.recall(BRIDGE) == STRANDED

    def admit(self, monitor: int, name: str, now: Moment, *, solar: bool) -> None:
        """Begin with a house, from what the journal remembers of it; no fresh data has come yet."""
        home = recall(monitor, self._journal.recall(monitor) or {}, self._policy)
        self._homes[monitor] = replace(home, name=name, solar=home.solar or solar)
        self._policies[monitor] = self._policy
        self._introduce(monitor)
        self._strand(is_stranded=False)
        self.observe(monitor, Tick(), now)

    def observe(self, monitor: int, seen: Seen, now: Moment) -> News:
        """Take in one thing seen, pass on what is new, and return what of that others must know."""
        before = self._homes[monitor]
        home, changes = observe(before, seen, now, self._policies[monitor])
        self._debug_log.note(before, home, seen, changes, now)
        messages = say(monitor, changes, self._style.topics)
        events = [message for message in messages if not message.retain]
        if any(_is_notable(change) for change in changes):
            self._publisher.record(monitor, remember(home), events)
        self._homes[monitor] = home
        self._publisher.say(message for message in messages if message.retain)
        self._publisher.say(self._discover(monitor, changes))
        introduced = [change.device for change in changes if isinstance(change, Introduction) and change.device]
        return News(len(events), stranger=any(device not in before.devices for device in introduced))

    def describe_again(self, monitor: int) -> None:
        """Say what is known of each device, also where nothing has changed."""
        home = self._homes[monitor]
        _, changes = describe(home, frozenset(home.devices), anyway=True)
        self._publisher.say(say(monitor, changes, self._style.topics))

    def take_firmware(self, monitor: int, firmware: str | None) -> None:
        """Show in Home Assistant which firmware the monitor has, where Sense tells."""
        if firmware not in (None, self._homes[monitor].firmware):
            self._homes[monitor] = home = replace(self._homes[monitor], firmware=firmware)
            self._publisher.record(monitor, remember(home), [])
            self._publisher.say(_write(discovery.introduce_monitor(_monitor_facts(home), self._style)))

    def set_patience(self, monitor: int, stale_after_s: float) -> None:
        """Say how long a house stays `online` without a frame."""
        self._policies[monitor] = replace(self._policies[monitor], stale_after_s=stale_after_s)

    def introduce_all(self) -> None:
        """Tell Home Assistant of every house and device again."""
        if self._is_stranded:
            self._publisher.say(self._tell_bridge())
        for monitor in self._homes:
            self._introduce(monitor)

    def note_that_a_person_is_wanted(self) -> None:
        """Where no house is known that could show it in Home Assistant, the bridge itself does."""
        if not self._homes:
            self._strand(is_stranded=True)

    def _strand(self, *, is_stranded: bool) -> None:
        if is_stranded == self._is_stranded:
            return
        self._is_stranded = is_stranded
        self._journal.record(BRIDGE, STRANDED if is_stranded else {}, [])
        self._publisher.say(self._tell_bridge())

    def _tell_bridge(self) -> Iterable[Message]:
        tell = discovery.introduce_bridge if self._is_stranded else discovery.withdraw_bridge
        return _write(tell(self._style))

    def farewell(self) -> Iterable[Message]:
        """Return what is to be said before the bridge goes: no fresh data arrives from now on."""
        for monitor in self._homes:
            topic = self._style.topics.monitor(monitor, "availability")
            yield Message(topic, "offline", retain=True, rank=Rank.AVAILABILITY)

    @property
    def monitors(self) -> tuple[int, ...]:
        return tuple(self._homes)

    def home(self, monitor: int) -> Home:
        return self._homes[monitor]

    def _introduce(self, monitor: int) -> None:
        self._publisher.say(introduce_home(self._homes[monitor], self._style))

    def _discover(self, monitor: int, changes: Iterable[Change]) -> Iterable[Message]:
        facts = _monitor_facts(self._homes[monitor])
        for change in changes:
            match change:
                case Introduction(None):
                    yield from _write(discovery.introduce_monitor(facts, self._style))
                case Introduction(str(device)) if device in self._homes[monitor].devices:
                    about = _device_facts(self._homes[monitor].devices[device])
                    yield from _write(discovery.introduce_device(facts, about, self._style))
                case Withdrawal(device):
                    yield from _write(discovery.withdraw_device(monitor, device, self._style))


def choose_monitors(account: Account, wanted: Collection[int]) -> dict[Monitor, str]:
    """Return the monitors that are ours, each with its name in Home Assistant; none wanted means all."""
    ours = [monitor for monitor in account.monitors if not wanted or monitor.id in wanted]
    return {monitor: "Sense" if len(ours) == 1 else f"Sense {monitor.id}" for monitor in ours}


def introduce_home(home: Home, style: discovery.Style) -> Iterable[Message]:
    """Return what Home Assistant is told of a house and its devices."""
    devices = [_device_facts(device) for device in home.devices.values()]
    return _write(discovery.introduce(_monitor_facts(home), devices, style))


def _is_notable(change: Change) -> bool:
    # The list of devices is told exactly when something lasting about them changed.
    return not isinstance(change, Reading) or change.key == "devices"


def _write(configs: Iterable[discovery.Config]) -> Iterable[Message]:
    for config in configs:
        payload = "" if config.payload is None else write_json(config.payload)
        yield Message(config.topic, payload, retain=True, rank=Rank.DISCOVERY)


def _monitor_facts(home: Home) -> discovery.MonitorFacts:
    return discovery.MonitorFacts(home.monitor, home.solar, home.name, home.firmware)


def _device_facts(device: Device) -> discovery.DeviceFacts:
    row = device.row
    return discovery.DeviceFacts(row.id, device.name, row.make, row.model, row.location, row.type, row.kind)
