"""How the meters are stored: a row of the house, and one of each device."""

from collections.abc import Iterable, Mapping
from typing import Any

from sense_mqtt.core.capability import HOUSE, Documents
from sense_mqtt.core.meters.certain import certain_figures
from sense_mqtt.core.meters.state import Counter, Figures, Meters, add
from sense_mqtt.core.timestamps import read_timestamp, write_timestamp
from sense_mqtt.core.wire.devices import mapping, number

_DECIMALS = 6  # of kWh: a thousandth of a watt hour
_DECIMALS_SQUARED = 9  # of its variance: a thirtieth of a watt hour


def write_row(state: Meters, device: str) -> Mapping[str, Any]:
    """Return the row of a device, or of HOUSE."""
    counters = [counter for counter in state.totals if counter[0] == device]
    # Of one that is unsure nobody knows what was published: it stays below what is reserved, and so unsure.
    certain = certain_figures(state) if state.unsure else state.shown
    figures = {
        figure: {
            "closed": round(state.closed.get((device, figure), 0.0), _DECIMALS),
            "shown": (certain if (device, figure) in state.unsure else state.shown).get((device, figure), 0.0),
            "reserved": state.reserved.get((device, figure), 0.0),
        }
        for _, figure in counters
    }
    hours = _by_hour(state.hours, device, _DECIMALS)
    document: dict[str, Any] = {
        "since": state.since[device],
        "figures": figures,
        "hours": hours,
        "last": _last(state, device),
    }
    if variances := _by_hour(state.variances, device, _DECIMALS_SQUARED):
        document["variances"] = variances
    if device == HOUSE:
        document |= {"open_since": state.open_since, "offset_s": state.offset_s}
    return document


def _by_hour(hours: Mapping[float, Figures], device: str, decimals: int) -> dict[str, Mapping[str, float]]:
    """Return the figures of a device that are known, by hour."""
    own = {
        write_timestamp(hour): {
            figure: round(each, decimals) for (owner, figure), each in known.items() if owner == device
        }
        for hour, known in sorted(hours.items())
    }
    return {hour: figures for hour, figures in own.items() if figures}


def _last(state: Meters, device: str) -> Mapping[str, Any]:
    """Return the time (s UTC) until which a row counts, and the watts of then."""
    if state.sample is None:
        return mapping(mapping(state.kept.get(device)).get("last"))  # an earlier process counted it
    watts = {figure: round(w, 1) for (owner, figure), w in state.sample.figures.items() if owner == device}
    return {"time": round(state.sample.time, 3), "watts": watts}


def is_like(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """True where two rows differ at most in the time until which they count, and the watts of then."""
    return {**row, "last": None} == {**other, "last": None}


def read_rows(rows: Documents) -> Meters:
    """Return the meters of these rows; what cannot be read is as if it were not known."""
    since = {device: time for device, row in rows.items() if (time := number(row.get("since"))) is not None}
    if HOUSE not in since:
        return Meters()
    stored = {
        (device, figure): mapping(each)
        for device in since
        for figure, each in mapping(rows[device].get("figures")).items()
    }
    closed, shown, reserved = (
        {counter: kwh for counter, each in stored.items() if (kwh := number(each.get(key))) is not None}
        for key in ("closed", "shown", "reserved")
    )
    hours = _hours(rows, since, "hours")
    totals = {counter: closed.get(counter, 0.0) for counter in stored}
    for figures_of_hour in hours.values():
        totals = add(totals, {each: kwh for each, kwh in figures_of_hour.items() if each in stored})
    return Meters(
        since=since,
        closed=closed,
        hours=hours,
        variances=_hours(rows, since, "variances"),
        totals=totals,
        shown={counter: max(shown.get(counter, 0.0), reserved.get(counter, 0.0)) for counter in stored},
        reserved=reserved,
        unsure=frozenset(counter for counter, most in reserved.items() if most > shown.get(counter, 0.0)),
        open_since=number(rows[HOUSE].get("open_since")),
        offset_s=number(rows[HOUSE].get("offset_s")) or 0.0,
        kept={device: rows[device] for device in since},
    )


def _hours(rows: Documents, devices: Iterable[str], key: str) -> dict[float, dict[Counter, float]]:
    hours: dict[float, dict[Counter, float]] = {}
    for device in devices:
        for hour, figures in _hours_of(rows[device].get(key)):
            hours.setdefault(hour, {}).update({(device, figure): each for figure, each in figures.items()})
    return hours


def _hours_of(by_hour: object) -> list[tuple[float, Mapping[str, float]]]:
    read = [(read_timestamp(hour), mapping(figures)) for hour, figures in mapping(by_hour).items()]
    return [
        (hour, {name: kwh for name, each in figures.items() if (kwh := number(each)) is not None})
        for hour, figures in read
        if hour is not None
    ]
