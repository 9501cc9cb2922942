"""The last 24 hours of one home: the mean power of each minute, and the events."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.core.wire.devices import number as read_number

MINUTE_S = 60
HOUR_S = 3_600
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

    @property
    def hour(self) -> int:
        """Hours since 1970 UTC."""
        return int(self.time // HOUR_S)


class History:
    """Written by one thread, read by any: each tuple is replaced as a whole."""

    def __init__(self, stored: Iterable[Mapping[str, Any]] = ()) -> None:
        """`stored`: documents of hours, oldest first; what cannot be read of them is left out."""
        documents = list(stored)
        # Oldest first; the present minute is not among them.
        self.minutes = tuple(minute for document in documents for minute in _read_minutes(document))[-MINUTES_MOST:]
        # In the order in which they were found.
        self.events = tuple(event for document in documents for event in _read_events(document))[-EVENTS_MOST:]
        self.unsaved: set[int] = set()  # hours of which more is known than was stored
        self._number = 0  # of the present minute
        self._power: list[float] = []
        self._solar: list[float] = []
        self._last_time: float | None = None

    def add_sample(self, time: float, power_w: float, solar_w: float | None) -> None:
        """Take what the house drew at `time` (s UTC)."""
        if time == self._last_time:
            return  # no frame came since
        self._last_time = time
        number = int(time // MINUTE_S)
        if number != self._number:
            self.end_minute()
            self._number = number
        self._power.append(power_w)
        if solar_w is not None:
            self._solar.append(solar_w)

    def end_minute(self) -> None:
        """Put the present minute among the others, as far as it was seen."""
        if not self._power:
            return
        solar_w = round(sum(self._solar) / len(self._solar), 1) if self._solar else None
        ended = Minute(self._number, round(sum(self._power) / len(self._power), 1), solar_w)
        self._power, self._solar = [], []
        # Those of after it were told by a clock that was wrong.
        earlier = tuple(one for one in self.minutes if ended.number - MINUTES_MOST < one.number < ended.number)
        self.minutes = (*earlier, ended)
        self.unsaved.add(ended.hour)

    def add_event(self, event: NumberedEvent) -> None:
        """Take an event; those of a day before it are let go of."""
        oldest = event.time - MINUTES_MOST * MINUTE_S
        kept = tuple(one for one in self.events if one.time > oldest)[1 - EVENTS_MOST :]
        self.events = (*kept, event)
        self.unsaved.add(event.hour)

    def ended_hours(self) -> set[int]:
        """Return the hours that are to be stored, as another one has begun."""
        present = self._number // 60
        return {hour for hour in self.unsaved if hour != present} if self._power else set()

    def take_documents(self, hours: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Return what is known of these hours, as it is stored, and count it as stored."""
        taken = {hour: self._document(hour) for hour in sorted(hours)}
        self.unsaved -= taken.keys()
        return taken

    def _document(self, hour: int) -> dict[str, Any]:
        return {
            "minutes": [minute for minute in self.minutes if minute.hour == hour],
            "events": [event.document for event in self.events if event.hour == hour],
        }


def _read_minutes(document: Mapping[str, Any]) -> Iterable[Minute]:
    for row in _list(document.get("minutes")):
        values = [read_number(value) for value in _list(row)]
        match values:
            case [float() as minute, float() as power_w, solar_w]:
                yield Minute(int(minute), power_w, solar_w)


def _read_events(document: Mapping[str, Any]) -> Iterable[NumberedEvent]:
    for row in _list(document.get("events")):
        if isinstance(row, Mapping) and (time := read_timestamp(row.get("time"))) is not None:
            yield NumberedEvent(0, time, row)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
