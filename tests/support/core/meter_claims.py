"""What is claimed of the meters of a trial: each message beside the truth."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from sense_mqtt.core.meters.state import SPARE_KWH
from sense_mqtt.core.timestamps import read_timestamp
from tests.support.core.trial import FROM_GRID, TO_GRID, Message, Trial

HOUR_S, DAY_S = 3600.0, 86_400.0
SETTLED, UNSETTLED = 0.001, 0.02  # how far a meter may be from the truth, as a share of it
ROUNDED_KWH = 0.001  # what is published has three digits
GRID = (FROM_GRID, TO_GRID)
SETTLED_AFTER_S = 1.75 * HOUR_S  # after the end of a gap its hours are settled
INTERVAL_S = 61.0  # a device's figures are published once a minute

Told = list[tuple[Message, float]]  # the messages of a meter, and their kWh
Meter = tuple[str | None, str, Told]  # device, None the house; figure


def meters_of(trial: Trial) -> Iterator[Meter]:
    """Yield each meter with all that was published of it."""
    for (device, key), messages in trial.messages.items():
        if key == "energy/total":
            for figure in sorted({name for each in messages for name in each.value if name.endswith("_kwh")}):
                yield device, figure, [(each, each.value[figure]) for each in messages if figure in each.value]


def shrinks(meter: Meter) -> Iterator[str]:
    """Yield where a meter shrank."""
    device, figure, told = meter
    for (_, before), (_, after) in pairwise(told):
        if after < before:
            yield f"{device} {figure} shrank from {before} to {after}"


def untrue_when_settled(trial: Trial, meter: Meter, until: float, *, held_kwh: float = 0.0) -> Iterator[str]:
    """Yield where the last figure is not the truth until the last finished hour, whose end is `until`.

    Of a meter that must not shrink, `held_kwh` may be too much.
    """
    device, figure, told = meter
    message, kwh = told[-1]
    true = trial.truth(device, figure, since_of(message), until)
    exact = max(SETTLED * true, ROUNDED_KWH)
    if not -exact <= kwh - true <= max(exact, held_kwh):
        yield f"{device} {figure} {kwh} for {true:.4f}"


def untrue_at_any_minute(trial: Trial, meter: Meter) -> Iterator[str]:
    """Yield where what stands published is farther from the truth of the last minute than UNSETTLED.

    Minutes after a gap do not count until its hours are settled. After a kill SPARE_KWH may be held back, until the
    meter has been published again.
    """
    device, figure, told = meter
    times = [message.at for message, _ in told]
    for minute in range(int((times[0] - trial.begins) // 60) + 1, int((trial.now - trial.begins) // 60)):
        at = trial.begins + 60.0 * minute
        message, kwh = told[bisect_right(times, at) - 1]
        before, true = (trial.truth(device, figure, since_of(message), each) for each in (at - INTERVAL_S, at))
        near = UNSETTLED * true + ROUNDED_KWH
        held = SPARE_KWH if any(message.at <= kill < at for kill in trial.kills) else 0.0
        if is_settled(trial, figure, at) and not before - near - held <= kwh <= true + near:
            yield f"{device} {figure} {kwh} for {before:.4f} to {true:.4f} after {60 * minute / HOUR_S:.2f} h"


def is_settled(trial: Trial, figure: str, time: float) -> bool:
    """True where no hour of a gap waits for its settlement; of what came from the grid Sense tells whole days only."""
    waits_s = DAY_S + 4 * HOUR_S if figure in GRID else SETTLED_AFTER_S
    return not any(start <= time < end + waits_s for start, end in trial.gaps)


def since_of(message: Message) -> float:
    """Return when the meter of a message began, in s UTC."""
    since = message.value["since"]
    time = since.timestamp() if isinstance(since, datetime) else read_timestamp(since)
    assert time is not None
    return time
