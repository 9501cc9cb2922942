"""Plays a recording back through the core: which events would it have told?"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from sense_mqtt.clock import Moment
from sense_mqtt.core.changes import Event
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.stored_home import restore
from sense_mqtt.core.wire.decode import decode
from sense_mqtt.core.wire.frames import FeedError, Frame, UnknownFrame, read_update
from sense_mqtt.errors import BadFrame
from sense_mqtt.items import FrameArrived
from sense_mqtt.recording.notes import HomeRestored, Note, PolicySet, Polled


class Replay:
    """The homes of a recording. Pure, as the core."""

    def __init__(self, policy: Policy, policy_of: Callable[[Mapping[str, Any]], Policy]) -> None:
        self._policy_of = policy_of  # what a configuration says
        self._base = policy
        self._policies: dict[int, Policy] = {}  # by monitor
        self._homes: dict[int, Home] = {}

    def play(self, notes: Iterable[Note]) -> Iterator[tuple[Note, str]]:
        """Yield each event as it would be on MQTT, with the note that led to it."""
        for note in notes:
            for payload in self._take(note):
                yield note, payload

    def _take(self, note: Note) -> list[str]:
        monitor, policy = note.monitor, self._policies.get(note.monitor, self._base)
        match note.what:
            case HomeRestored(rows, name, solar):
                self._homes[monitor] = replace(restore(monitor, rows, policy), name=name, solar=solar)
                return []
            case PolicySet(stale_after_s, config):
                changed = policy if config is None else self._policy_of(config)
                stale_after_s = policy.stale_after_s if stale_after_s is None else stale_after_s
                self._policies[monitor] = replace(changed, stale_after_s=stale_after_s)
                return []
            case FrameArrived() | Polled():
                seen: Seen | None = _read(note.what, self._homes.get(monitor, Home(monitor)))
            case _:
                seen = note.what
        return [] if seen is None else self._observe(monitor, seen, note.now, policy)

    def _observe(self, monitor: int, seen: Seen, now: Moment, policy: Policy) -> list[str]:
        home, changes = observe(self._homes.get(monitor, Home(monitor)), seen, now, policy)
        self._homes[monitor] = home
        events = [change for change in changes if isinstance(change, Event)]
        messages: tuple[Message, ...] = to_messages(events, HomeTopics(Topics(), monitor, home.topic_ids))
        return [message.payload for message in messages if message.topic.endswith("/event")]


def _read(what: FrameArrived | Polled, home: Home) -> Seen | None:
    try:
        frame: Frame = (
            decode(what.raw, home.known_ids)
            if isinstance(what, FrameArrived)
            else read_update(what.payload, took_s=what.took_s, known=home.known_ids)
        )
    except BadFrame:
        return None
    return None if isinstance(frame, UnknownFrame | FeedError) else frame
