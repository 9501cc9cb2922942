"""An appliance as it is stored."""

from collections.abc import Mapping
from typing import Any

from sense_mqtt.core.cycles.appliance import NO_TALLY, Appliance, Cycle, PowerSample, Tally
from sense_mqtt.core.wire.devices import list_of, mapping, number, text


def write_appliance(appliance: Appliance) -> dict[str, Any]:
    """Return what a later process must know, in JSON's types."""
    cycle, last = appliance.cycle, appliance.last
    return {
        "pause_s": appliance.pause_s,
        "told_until": appliance.published_until,
        **({"last": [last.time, last.w], "tally": _write_tally(appliance.tally)} if last and cycle else {}),
        **({"cycle": _write_cycle(cycle)} if cycle else {}),
    }


def _write_tally(tally: Tally) -> list[Any]:
    return [tally.energy_ws, tally.variance, tally.peak_w, tally.is_complete]


def _write_cycle(cycle: Cycle) -> dict[str, Any]:
    return {
        "started": cycle.started,
        "ended": cycle.ended,
        "phases": cycle.phases,
        "sampled": cycle.is_sampled,
        "source": cycle.source,
        "tally": _write_tally(cycle.tally),
    }


def read_appliance(entry: Mapping[str, Any]) -> Appliance:
    """Return the appliance that was stored; what cannot be read is as if it were not known."""
    last = [number(value) for value in list_of(entry.get("last"))]
    time, w = last if len(last) == 2 else (None, None)
    return Appliance(
        pause_s=number(entry.get("pause_s")) or 0.0,
        last=None if time is None or w is None else PowerSample(time, w),
        tally=_read_tally(entry.get("tally")),
        cycle=_read_cycle(mapping(entry.get("cycle"))),
        published_until=number(entry.get("told_until")),
    )


def _read_tally(stored: Any) -> Tally:
    match list_of(stored):
        case [energy_ws, variance, peak_w, bool(is_complete)]:
            values = number(energy_ws), number(variance), number(peak_w)
        case _:
            return NO_TALLY
    if None in values:
        return NO_TALLY.incomplete()
    return Tally(*values, is_complete)  # type: ignore[arg-type] # none of them is None


def _read_cycle(entry: Mapping[str, Any]) -> Cycle | None:
    phases = entry.get("phases")
    if type(phases) is not int or phases < 1:
        return None
    return Cycle(
        started=number(entry.get("started")),
        ended=number(entry.get("ended")),
        phases=phases,
        is_sampled=entry.get("sampled") is True,
        source=text(entry.get("source")) or "frame",
        tally=_read_tally(entry.get("tally")),
    )
