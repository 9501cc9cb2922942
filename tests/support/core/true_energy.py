"""What was truly used: the energy of watts that are constant from one instant to the next."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

Meter = tuple[str | None, str]  # device by its id here, None the house; the figure


@dataclass(slots=True)
class _Spans:
    """The watts of one meter: from each time on, and the kWh until then."""

    times: list[float] = field(default_factory=list)  # s UTC
    watts: list[float] = field(default_factory=list)
    kwh: list[float] = field(default_factory=list)

    def kwh_until(self, time: float) -> float:
        index = bisect_right(self.times, time) - 1
        return self.kwh[index] + self.watts[index] * (time - self.times[index]) / 3_600_000 if index >= 0 else 0.0


class TrueEnergy:
    """The energy of each meter; what draws nothing has none."""

    def __init__(self) -> None:
        self._spans: dict[Meter, _Spans] = {}

    def note(self, at: float, watts: Mapping[Meter, float]) -> None:
        """From `at` (s UTC) on, so much is drawn; it is called in the order of time."""
        for meter in self._spans.keys() | watts.keys():
            spans, w = self._spans.setdefault(meter, _Spans()), watts.get(meter, 0.0)
            if not spans.watts or spans.watts[-1] != w:
                kwh = spans.kwh_until(at)
                spans.times.append(at)
                spans.watts.append(w)
                spans.kwh.append(kwh)

    def kwh(self, meter: Meter, since: float, until: float) -> float:
        """Return the kWh that was used between both."""
        spans = self._spans.get(meter)
        return spans.kwh_until(until) - spans.kwh_until(since) if spans else 0.0
