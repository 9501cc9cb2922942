"""The periods of Sense's history (day, week, month, year, billing cycle) in the monitor's local time. Pure."""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

CYCLE = "CYCLE"
CYCLE_START = 15  # day of the month on which the meter is read

Boundaries = list[float]  # unix seconds; entry i of a breakdown reaches from edge i to edge i + 1


def boundaries(scale: str, at: float, zone: ZoneInfo, cycle_day: int = CYCLE_START) -> Boundaries:
    """Return the edges of the period that holds `at`; raises KeyError for an unknown scale.

    `cycle_day`: of the month, on which the billing cycle begins; in a shorter month its last day.
    """
    local = datetime.fromtimestamp(at, zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return _cycle(midnight, cycle_day) if scale.upper() == CYCLE else _PERIODS[scale.upper()](midnight)


def _day(midnight: datetime) -> Boundaries:
    """Return whole hours from midnight to midnight: 23, 24 or 25 of them."""
    start, end = midnight.timestamp(), _plus(midnight, 1).timestamp()
    return [start + 3600 * hour for hour in range(round((end - start) / 3600) + 1)]


def _week(midnight: datetime) -> Boundaries:
    sunday = _plus(midnight, -(midnight.isoweekday() % 7))
    return [_plus(sunday, day).timestamp() for day in range(8)]


def _month(midnight: datetime) -> Boundaries:
    first = midnight.replace(day=1)
    return _days(first, _next_month(first))


def _cycle(midnight: datetime, day: int) -> Boundaries:
    start = _on_day(midnight, day)
    if start > midnight:
        start = _on_day(midnight.replace(day=1) - timedelta(days=1), day)
    return _days(start, _on_day(_next_month(start.replace(day=1)), day))


def _on_day(midnight: datetime, day: int) -> datetime:
    return midnight.replace(day=min(day, monthrange(midnight.year, midnight.month)[1]))


def _year(midnight: datetime) -> Boundaries:
    return [midnight.replace(month=month, day=1).timestamp() for month in range(1, 13)] + [
        midnight.replace(year=midnight.year + 1, month=1, day=1).timestamp()
    ]


_PERIODS: Mapping[str, Callable[[datetime], Boundaries]] = {
    "DAY": _day,
    "WEEK": _week,
    "MONTH": _month,
    "YEAR": _year,
}
SCALES = frozenset({*_PERIODS, CYCLE})


def _plus(midnight: datetime, days: int) -> datetime:
    return midnight + timedelta(days=days)  # arithmetic on the wall clock: still midnight, whatever the season


def _days(first: datetime, end: datetime) -> Boundaries:
    return [_plus(first, day).timestamp() for day in range((end.date() - first.date()).days + 1)]


def _next_month(day: datetime) -> datetime:
    return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)


def parse(start: str) -> float:
    """Return the unix second of `YYYY-MM-DDTHH:MM:SS`, with or without fraction and Z, read as UTC."""
    return datetime.fromisoformat(start.removesuffix("Z")).replace(tzinfo=UTC).timestamp()
