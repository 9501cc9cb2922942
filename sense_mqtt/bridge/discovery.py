"""What Home Assistant is told of all monitors and devices, and what is taken back of it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.withdrawals import TopicRemoval, to_message
from sense_mqtt.clock import Moment
from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.changes import Change, DeviceChanged
from sense_mqtt.core.home.state import Device, Home
from sense_mqtt.core.home_assistant import discovery
from sense_mqtt.core.home_assistant.messages import DiscoveryMessage, DiscoveryOptions
from sense_mqtt.core.publishing.message import Message, PublishOrder


class HasHome(Protocol):
    """A monitor, as far as discovery needs it."""

    @property
    def home(self) -> Home: ...


class Discovery:
    """Owns what was announced to Home Assistant. For the bridge's thread only.

    `monitors`: those that are served, by id; the dict is shared, accounts add to it. `accounts`: how many there are;
    None: other processes serve further ones, and may serve a monitor that was served here, so nothing is taken back.
    """

    def __init__(
        self,
        publisher: Publisher,
        options: DiscoveryOptions,
        monitors: Mapping[int, HasHome],
        accounts: int | None,
    ) -> None:
        self._publisher = publisher
        self._options = options
        self._monitors = monitors
        self._accounts = accounts
        self._kept: dict[int, Collection[int] | None] = {}  # by account, see `set_served`
        self._removal = TopicRemoval(publisher, options)

    def begin(self) -> None:
        """Publish what holds before Sense was asked: no monitor is served yet."""
        self._removal.begin(is_shared=self._accounts is None)
        self._renew()

    def announce_all(self) -> None:
        """Announce every monitor and device again."""
        self._announce(self._wanted())

    def announce_changes(self, home: Home, changes: Iterable[Change]) -> None:
        """Announce the devices, or the monitor itself, that have changed."""
        self._announce(self._of_changes(home, changes))

    def clear(self, messages: Iterable[Message]) -> None:
        """Clear the topics of devices that are gone, after their discovery: Home Assistant would warn otherwise."""
        self._remove_obsolete()
        self._removal.clear_after_discovery(messages)

    def set_served(self, account: int, kept: Collection[int] | None) -> None:
        """Note that an account's monitors are known; remove what was announced of others, once all accounts are.

        `kept`: ids of monitors whose discovery stays although they are not served at present; None: all.
        """
        self._kept[account] = kept
        kept_of_all = self._kept_of_all()
        if kept_of_all is not None:
            self._removal.set_others_offline({*self._monitors, *kept_of_all})
        self._renew()

    def maintain(self, now: Moment) -> None:
        """Go on with removing topics. Call once a second."""
        if self._removal.maintain(now):
            self.announce_all()

    def offline_messages(self) -> Iterable[Message]:
        """Return what is published of the monitors before the bridge ends."""
        for monitor in self._monitors:
            topic = self._options.topics.monitor(monitor, "availability")
            yield Message(topic, "offline", retain=True, order=PublishOrder.AVAILABILITY)

    def _kept_of_all(self) -> Collection[int] | None:
        kept = [ids for ids in self._kept.values() if ids is not None]
        return {monitor for ids in kept for monitor in ids} if len(kept) == self._accounts else None

    def _wanted(self) -> Iterable[DiscoveryMessage]:
        yield from discovery.announce_bridge(self._options, monitors=len(self._monitors))
        for monitor in self._monitors.values():
            yield from announce_home(monitor.home, self._options)

    def _announce(self, messages: Iterable[DiscoveryMessage]) -> None:
        self._publisher.enqueue_retained(to_message(one) for one in messages if self._removal.is_allowed(one))

    def _renew(self) -> None:
        """Remove what is not wanted any more, and announce the rest again."""
        wanted = tuple(self._wanted())
        self._removal.remove_obsolete(wanted, self._is_kept)
        self._announce(wanted)

    def _remove_obsolete(self) -> None:
        self._removal.remove_obsolete(self._wanted(), self._is_kept)

    def _is_kept(self, node: str) -> bool:
        monitor, kept = discovery.monitor_of(node), self._kept_of_all()
        return monitor is not None and monitor not in self._monitors and (kept is None or monitor in kept)

    def _of_changes(self, home: Home, changes: Iterable[Change]) -> Iterable[DiscoveryMessage]:
        monitor = _describe_monitor(home)
        for change in changes:
            match change:
                case DeviceChanged(None):
                    yield from discovery.announce_monitor(monitor, self._options)
                case DeviceChanged(str(device)) if device in home.devices:
                    yield from discovery.announce_device(
                        monitor, _describe_device(home, home.devices[device]), self._options
                    )


def announce_home(home: Home, options: DiscoveryOptions) -> Iterable[DiscoveryMessage]:
    """Return the discovery of a monitor and its devices."""
    devices = [_describe_device(home, device) for device in home.devices.values()]
    return discovery.announce(_describe_monitor(home), devices, options)


def _describe_monitor(home: Home) -> discovery.MonitorDescription:
    return discovery.MonitorDescription(home.monitor, home.solar, home.name, home.firmware)


def _describe_device(home: Home, device: Device) -> discovery.DeviceDescription:
    info = device.info
    topic_id = home.topic_ids.get(info.id, info.id)
    return discovery.DeviceDescription(
        topic_id,
        device.name,
        info.make,
        info.model,
        info.location,
        info.type,
        info.icon,
        info.kind,
        _left_out(home, info.id),
    )


def _left_out(home: Home, device: str) -> frozenset[str]:
    """Return the keys of the rows that a device does not have."""
    absent = (each for each in CAPABILITIES if not each.has_entities(each.state_of(home), device))
    return frozenset(row.key for capability in absent for row in capability.device_entities)
