"""What is recorded: a note for each thing that the core is shown, in order, with its moment."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import DevicesListed, Interrupted, PolicyChanged, QueryResult, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.observe import Seen
from sense_mqtt.core.stored_home import Rows
from sense_mqtt.core.wire.frames import DataChange, DeviceStates, Hello, MonitorInfo, RealtimeUpdate, TimelineChange
from sense_mqtt.items import FrameArrived

logger = logging.getLogger(__name__)

FRAMES = frozenset({RealtimeUpdate, DeviceStates, MonitorInfo, DataChange, TimelineChange, Hello})
SEEN = (Tick, Interrupted, PolicyChanged, DevicesListed, TimelineRead, QueryResult)  # beside frames


class HomeRestored(Struct, frozen=True):
    """A home begins with what was stored of it."""

    rows: Rows
    name: str
    solar: bool | None


class Polled(Struct, frozen=True):
    """A frame that was asked for."""

    payload: Any  # JSON
    took_s: float


class PolicySet(Struct, frozen=True):
    """Another policy is in force from now on."""

    stale_after_s: float | None = None  # without a frame the home is `offline` after so long; None: as before
    config: Mapping[str, Any] | None = None  # that was read again, without secrets; None: as before


What = HomeRestored | Polled | PolicySet | FrameArrived | Seen  # a frame as it came, then as it was read


class Note(Struct, frozen=True):
    """One thing that came, and when."""

    now: Moment
    monitor: int
    what: What


class Recorder(Protocol):
    """Takes notes. For the bridge's thread only."""

    def note(self, note: Note) -> None: ...


class Recorders:
    """Several recorders as one. One that fails is left out from then on: the bridge goes on."""

    def __init__(self, each: Sequence[Recorder] = ()) -> None:
        self._each = tuple(each)

    def note(self, note: Note) -> None:
        for recorder in self._each:
            try:
                recorder.note(note)
            except Exception:  # whatever came from Sense, recording it must not keep the bridge from working
                logger.exception("the recording ends here")
                self._each = tuple(each for each in self._each if each is not recorder)
