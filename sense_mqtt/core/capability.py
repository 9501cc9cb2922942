"""A capability: something that is known of a home beyond what one frame says, with all that belongs to it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import msgspec

from sense_mqtt.core.changes import Change, DeviceChanged, Event, Reading, ReadingRemoved
from sense_mqtt.core.entity import Entity
from sense_mqtt.core.home.plain_frames import NEVER, Bounds, PlainFrames
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import RealtimeUpdate

State = TypeVar("State")
Documents = Mapping[str, Mapping[str, Any]]  # what is stored, by device id or any key; each becomes a journal row

HOUSE = ""  # in `Documents`: what belongs to the home itself


class Query(msgspec.Struct, frozen=True):
    """What a capability needs to read from Sense once. The bridge does it when due and hands in a `QueryResult`."""

    lookup: str  # of the table of commands
    arguments: Mapping[str, Any] = MappingProxyType({})
    due: float = -math.inf  # monotonic seconds; in the past: as soon as can be
    refused_wait_s: float = 3600.0  # where Sense refuses it, it is asked again after so long


class Observation(msgspec.Struct, frozen=True):
    """One thing that was observed, and what the home made of it."""

    before: Home
    home: Home
    seen: object  # a frame, a Tick, a QueryResult, a list of devices, the timeline
    changes: tuple[Change, ...]  # that follow from it: events, and devices that came or went
    now: Moment
    policy: Policy  # what the user has configured: rules of devices, intervals

    @property
    def frame(self) -> RealtimeUpdate | None:
        """The frame that was observed; None where it is something else, or a frame that is passed over as outdated."""
        is_taken = isinstance(self.seen, RealtimeUpdate) and self.home.steady is not self.before.steady
        return self.home.last_frame if is_taken else None

    @property
    def events(self) -> tuple[Event, ...]:
        """The events that follow, those of devices and those of the house."""
        return tuple(change for change in self.changes if isinstance(change, Event))


class Update(msgspec.Struct, Generic[State], frozen=True):
    """What a capability makes of an observation."""

    state: State
    # Of readings, those that are due are published. DeviceChanged: other entities of the device exist now.
    changes: Sequence[Reading | ReadingRemoved | Event | DeviceChanged] = ()
    store: bool = False  # the state must survive a restart as it is now
    synced: bool = True  # and a cut of power; False: that may take back what was stored since the last sync


class Capability(ABC, Generic[State]):
    """The base of each capability; a subclass has no state of its own. Pure, as all of core.

    `State` is immutable and belongs to one home; with something of each device it is a mapping by device id. That id
    lasts: where Sense merges devices or gives one another id, what is observed has the id that is known here, and the
    state goes on. Only what Sense answers to a query has Sense's ids: `home.id_of` translates them.
    """

    key: str  # of its state in what is stored: it never changes
    initial: State  # of a home of which nothing is known
    sees_frames: bool = True  # False: `update` is not called with a frame, unless it shows devices that are new
    monitor_entities: tuple[Entity, ...] = ()
    device_entities: tuple[Entity, ...] = ()

    def state_of(self, home: Home) -> State:
        state: State = home.capabilities.get(self.key, self.initial)
        return state

    @abstractmethod
    def update(self, state: State, observation: Observation) -> Update[State]:
        """Return the new state, and what is to be published. Called with everything that is observed of a home."""

    def passes_over(self, state: State, home: Home, now: Moment, policy: Policy) -> Bounds:  # noqa: ARG002
        """Return within what further plain frames are of no concern: `update` is not called with them.

        A plain frame is one after which nothing is published, and that shows nothing new but other watts. By default
        each frame is of concern.
        """
        return NEVER

    def go_on(self, state: State, home: Home, plain: PlainFrames) -> State:  # noqa: ARG002 - by default no trace
        """Return the state after plain frames that were passed over; `home` is as before them."""
        return state

    def queries(self, home: Home, now: Moment, policy: Policy) -> Mapping[str, Query]:  # noqa: ARG002 - by default none
        """Return by name what is to be read from Sense next, each with its time.

        Asked again after each answer and within a second of anything observed; then what is due, and with which
        arguments, may be another. A name that is not in it is not read. What Sense does not answer is tried again by
        the bridge, with growing waits. A query that stays due after its answer is repeated once a minute.
        """
        return {}

    def has_entities(self, state: State, device: str) -> bool:  # noqa: ARG002 - by default all devices have them
        """True where a device has the entities of `device_entities`."""
        return True

    def tick_after_s(self, state: State, now: float) -> float:  # noqa: ARG002 - by default none
        """Return the seconds until a Tick is needed, of a state at a monotonic time; infinite: none.

        Without it a Tick comes only when something of the home is due.
        """
        return math.inf

    def forget(self, state: State, device: str) -> State:  # noqa: ARG002 - by default there is nothing of devices
        """Return the state without a device that is gone for good. Called once, before `update` with its removal."""
        return state

    def snapshot(self, state: State) -> Documents:  # noqa: ARG002 - of what is stored by default: nothing
        """Return what a later process must know: a JSON object of each device, and of the home under HOUSE."""
        return {}

    def restore(self, documents: Documents) -> State:  # noqa: ARG002
        """Return the state of a snapshot, of whatever was stored; what cannot be read is as if it were not known."""
        return self.initial

    def log_line(self, state: State, seen: object) -> str | None:  # noqa: ARG002
        """Return what the log says at debug of something observed; `state` is the one after it. None: nothing."""
        return None
