"""The houses that the bridge knows: what is seen goes in, what is new goes to the publisher, events by the journal."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sense_mqtt.bridge.debug_log import DebugLog
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.withdrawals import TopicRemoval, to_message
from sense_mqtt.clock import Moment
from sense_mqtt.core.bounds import MAX_DEVICES
from sense_mqtt.core.changes import Change, DeviceChanged, Reading
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.state import Device, Home, Policy, Tick
from sense_mqtt.core.home_assistant import discovery
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.outbox import Message, PublishOrder
from sense_mqtt.core.readings.throttle import device_readings
from sense_mqtt.sense.auth.tokens import Account, Monitor
from sense_mqtt.store.journal import Journal

logger = logging.getLogger(__name__)

BRIDGE = 0  # in the journal, in place of a monitor's id
LOGIN_REQUIRED = {"stranded": True}


@dataclass(frozen=True, slots=True)
class ObserveResult:
    """What one thing seen led to."""

    events: int
    has_new_device: bool  # a device was seen that was not known


class Homes:
    """Owns what is known of each house. For the bridge's thread only."""

    def __init__(
        self, publisher: Publisher, journal: Journal, policy: Policy, style: discovery.DiscoveryOptions
    ) -> None:
        self._publisher = publisher
        self._journal = journal
        self._style = style
        self._policy = policy
        self._policies: dict[int, Policy] = {}
        self._debug_log = DebugLog()
        self._homes: dict[int, Home] = {}
        self._removal = TopicRemoval(publisher, style)
        self._kept: Collection[int] | None = None  # monitors whose discovery stays although nobody serves them; all
        self._is_login_required = journal.recall(BRIDGE) == LOGIN_REQUIRED

    def add_monitor(self, monitor: int, name: str, now: Moment, *, solar: bool) -> None:
        """Begin with a house, from what the journal remembers of it; no fresh data has come yet."""
        home = restore(monitor, self._journal.recall(monitor) or {}, self._policy)
        self._homes[monitor] = replace(home, name=name, solar=home.solar or solar)
        self._policies[monitor] = self._policy
        self.observe(monitor, Tick(), now)

    def observe(self, monitor: int, seen: Seen, now: Moment) -> ObserveResult:
        """Take in one thing seen, pass on what is new, and return what of that others must know."""
        before = self._homes[monitor]
        home, changes = observe(before, seen, now, self._policies[monitor])
        self._debug_log.note(before, home, seen, changes, now)
        if home.is_full and not before.is_full:
            logger.warning("monitor %s: more than %d devices; those beyond are left out", monitor, MAX_DEVICES)
        messages = to_messages(changes, self._topics_of(home))
        events = [message for message in messages if not message.retain]
        cleared = [message for message in messages if message.final]
        if any(_is_notable(change) for change in changes):
            self._publisher.record(monitor, snapshot(home), events)
        self._homes[monitor] = home
        self._publisher.enqueue_retained(message for message in messages if message.retain and not message.final)
        self._say_configs(self._discover(monitor, changes))
        if cleared:  # Home Assistant complains where a value goes before the entity that shows it
            self._remove_obsolete()
            self._removal.clear_after_discovery(cleared)
        introduced = [change.device for change in changes if isinstance(change, DeviceChanged) and change.device]
        return ObserveResult(len(events), has_new_device=any(device not in before.devices for device in introduced))

    def republish_devices(self, monitor: int) -> None:
        """Say what is known of each device, also where nothing has changed."""
        home = self._homes[monitor]
        _, changes = device_readings(home, frozenset(home.devices), anyway=True)
        self._publisher.enqueue_retained(to_messages(changes, self._topics_of(home)))

    def on_firmware(self, monitor: int, firmware: str | None) -> None:
        """Show in Home Assistant which firmware the monitor has, where Sense tells."""
        if firmware not in (None, self._homes[monitor].firmware):
            self._homes[monitor] = home = replace(self._homes[monitor], firmware=firmware)
            self._publisher.record(monitor, snapshot(home), [])
            self._say_configs(discovery.announce_monitor(_monitor_facts(home), self._style))

    def set_stale_after(self, monitor: int, stale_after_s: float) -> None:
        """Say how long a house stays `online` without a frame."""
        self._policies[monitor] = replace(self._policies[monitor], stale_after_s=stale_after_s)

    def announce_all(self) -> None:
        """Tell Home Assistant of every house and device again."""
        self._say_configs(self._configs())

    def begin(self) -> None:
        """Say what holds before Sense was asked: no house is served yet."""
        self._removal.begin()
        self._remove_obsolete()
        self.announce_all()

    def set_served(self, kept: Collection[int] | None) -> None:
        """Take back what was announced of houses that are not served; but what is `kept` of discovery, None: all."""
        self._kept = kept
        if self._homes:
            self._set_login_required(is_login_required=False)
        if kept is not None:
            self._removal.set_others_offline({*self._homes, *kept})
        self._remove_obsolete()
        self.announce_all()

    def maintain(self, now: Moment) -> None:
        """Go on with what is taken back. Call once a second."""
        if self._removal.maintain(now):
            self.announce_all()

    def show_login_required(self) -> None:
        """Where no house is known that could show it in Home Assistant, the bridge itself does."""
        if not self._homes:
            self._set_login_required(is_login_required=True)
            self.announce_all()

    def _set_login_required(self, *, is_login_required: bool) -> None:
        if is_login_required == self._is_login_required:
            return
        self._is_login_required = is_login_required
        self._journal.record(BRIDGE, LOGIN_REQUIRED if is_login_required else {}, [])

    def offline_messages(self) -> Iterable[Message]:
        """Return what is to be said before the bridge goes: no fresh data arrives from now on."""
        for monitor in self._homes:
            topic = self._style.topics.monitor(monitor, "availability")
            yield Message(topic, "offline", retain=True, order=PublishOrder.AVAILABILITY)

    @property
    def monitors(self) -> tuple[int, ...]:
        return tuple(self._homes)

    def home(self, monitor: int) -> Home:
        return self._homes[monitor]

    def _topics_of(self, home: Home) -> HomeTopics:
        return HomeTopics(self._style.topics, home.monitor, home.topic_ids)

    def _configs(self) -> Iterable[discovery.DiscoveryMessage]:
        if self._is_login_required:
            yield from discovery.announce_bridge(self._style)
        for home in self._homes.values():
            yield from introduce_home(home, self._style)

    def _say_configs(self, configs: Iterable[discovery.DiscoveryMessage]) -> None:
        self._publisher.enqueue_retained(to_message(config) for config in configs if self._removal.is_allowed(config))

    def _remove_obsolete(self) -> None:
        self._removal.remove_obsolete(self._configs(), self._is_kept)

    def _is_kept(self, node: str) -> bool:
        monitor = discovery.monitor_of(node)
        return monitor is not None and monitor not in self._homes and (self._kept is None or monitor in self._kept)

    def _discover(self, monitor: int, changes: Iterable[Change]) -> Iterable[discovery.DiscoveryMessage]:
        facts = _monitor_facts(self._homes[monitor])
        for change in changes:
            match change:
                case DeviceChanged(None):
                    yield from discovery.announce_monitor(facts, self._style)
                case DeviceChanged(str(device)) if device in self._homes[monitor].devices:
                    about = _device_facts(self._homes[monitor], self._homes[monitor].devices[device])
                    yield from discovery.announce_device(facts, about, self._style)


def choose_monitors(account: Account, wanted: Collection[int]) -> dict[Monitor, str]:
    """Return the monitors that are ours, each with its name in Home Assistant; none wanted means all."""
    ours = [monitor for monitor in account.monitors if not wanted or monitor.id in wanted]
    return {monitor: "Sense" if len(ours) == 1 else f"Sense {monitor.id}" for monitor in ours}


def introduce_home(home: Home, style: discovery.DiscoveryOptions) -> Iterable[discovery.DiscoveryMessage]:
    """Return what Home Assistant is told of a house and its devices."""
    devices = [_device_facts(home, device) for device in home.devices.values()]
    return discovery.announce(_monitor_facts(home), devices, style)


def _is_notable(change: Change) -> bool:
    # The list of devices is told exactly when something lasting about them changed.
    return not isinstance(change, Reading) or change.key == "devices"


def _monitor_facts(home: Home) -> discovery.MonitorDescription:
    return discovery.MonitorDescription(home.monitor, home.solar, home.name, home.firmware)


def _device_facts(home: Home, device: Device) -> discovery.DeviceDescription:
    row = device.info
    topic_id = home.topic_ids.get(row.id, row.id)
    return discovery.DeviceDescription(topic_id, device.name, row.make, row.model, row.location, row.type, row.kind)
