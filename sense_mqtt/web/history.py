"""The last 24 hours of one home: the mean power of each minute, and the events."""

from collections.abc import Mapping
from typing import Any, NamedTuple

MINUTE_S = 60
MINUTES_MOST = 24 * 60
EVENTS_MOST = 1_000  # of one home; more of them are a device that flaps


class Minute(NamedTuple):
    """The means of one minute."""

    number: int  # minutes since 1970 UTC, by the house's clock
    power_w: float
    solar_w: float | None  # None: the house has told nothing of solar power

    @property
    def hour(self) -> int:
        """Hours since 1970 UTC."""
        return self.number // 60


class NumberedEvent(NamedTuple):
    """An event of the house or of a device, as it is told on MQTT."""

    number: int  # grows with each event of this process; 0: of a process before
    time: float  # s UTC
    document: Mapping[str, Any]


class History:
    """Written by one thread, read by any: each tuple is replaced as a whole."""

    def __init__(self) -> None:
        self.minutes: tuple[Minute, ...] = ()  # oldest first; the present one is not among them
        self.events: tuple[NumberedEvent, ...] = ()  # in the order in which they were found
        self._number = 0  # of the present minute
        self._power: list[float] = []
        self._solar: list[float] = []
        self._last_time: float | None = None

    def add_sample(self, time: float, power_w: float, solar_w: float | None) -> Minute | None:
        """Take what the house drew at `time` (s UTC); return the minute that is over with it, if one is."""
        if time == self._last_time:
            return None  # no frame came since
        self._last_time = time
        number, ended = int(time // MINUTE_S), None
        if number != self._number:
            ended = self._end_minute()
            self._number, self._power, self._solar = number, [], []
        self._power.append(power_w)
        if solar_w is not None:
            self._solar.append(solar_w)
        return ended

    def _end_minute(self) -> Minute | None:
        if not self._power:
            return None
        solar_w = round(sum(self._solar) / len(self._solar), 1) if self._solar else None
        ended = Minute(self._number, round(sum(self._power) / len(self._power), 1), solar_w)
        # Those of after it were told by a clock that was wrong.
        earlier = tuple(one for one in self.minutes if ended.number - MINUTES_MOST < one.number < ended.number)
        self.minutes = (*earlier, ended)
        return ended

    def add_event(self, event: NumberedEvent) -> None:
        """Take an event; those of a day before it are let go of."""
        oldest = event.time - MINUTES_MOST * MINUTE_S
        kept = tuple(one for one in self.events if one.time > oldest)[1 - EVENTS_MOST :]
        self.events = (*kept, event)
