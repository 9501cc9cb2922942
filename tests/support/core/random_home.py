"""What may be observed of a home with a few devices, at random but mostly as in life: frames that follow closely."""

import random
from collections.abc import Iterator

from msgspec.structs import replace

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import Interrupted, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.observe import Seen
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.core.wire.frames import RealtimeUpdate
from sense_mqtt.core.wire.timeline import read_items
from tests.support.core.builders import DRYER, KETTLE, PLUG, SOLAR, START, bare_frame, frame, listed, policy

IGNORED = {"id": "ignored", "name": "Ignored", "w": 7.0}
ROWS = (DRYER, KETTLE, PLUG, SOLAR, IGNORED, *({"id": f"d{n}", "name": f"Device {n}", "w": 10.0 * n} for n in range(6)))
RULES = {
    KETTLE["id"]: DeviceRules(on_above_w=1000.0, off_below_w=400.0, off_delay_s=1.5),
    DRYER["id"]: DeviceRules(on_delay_s=2.0),
    "ignored": DeviceRules(ignore=True),
}
POLICY = policy(RULES, house_interval_s=3.0, device_interval_s=7.0, stale_after_s=20.0)


def observations(dice: random.Random, count: int) -> Iterator[tuple[float, Seen]]:
    """Yield things that are observed, each with when, in seconds after START."""
    at, listed_rows = 0.0, {row["id"]: row for row in ROWS[:6]}
    for _ in range(count):
        at += dice.choice((0.5,) * 30 + (0.4, 0.6, 1.0, 4.0, 25.0, 200.0))
        for row in ROWS:
            if dice.random() < 0.02 and listed_rows.pop(row["id"], None) is None:
                listed_rows[row["id"]] = row
            elif row["id"] in listed_rows and dice.random() < 0.1:
                listed_rows[row["id"]] = _changed(row, dice)
        yield at, _frame(list(listed_rows.values()), at, dice)
        if dice.random() < 0.5:
            yield at + 0.1, Tick()
        if dice.random() < 0.02:
            yield at + 0.2, _rare(at, dice)


def calm_observations(dice: random.Random, count: int) -> Iterator[tuple[float, Seen]]:
    """Yield the same of a home in which most frames show nothing new but other watts."""
    at, drawn, others = 0.0, {row["id"]: row for row in ROWS}, {row["id"]: row for row in ROWS}
    yield at, listed(*ROWS)
    for _ in range(count):
        at += dice.choice((0.5,) * 300 + (0.4, 0.6, 1.0, 2.5, 4.0, 25.0, 200.0))
        for row in ROWS:
            if dice.random() < 0.02:
                others[row["id"]] = _changed(row, dice) if dice.random() < 0.05 else row
            if dice.random() < 0.004 and drawn.pop(row["id"], None) is None:
                drawn[row["id"]] = others[row["id"]]
            elif row["id"] in drawn and dice.random() < 0.3:
                w = others[row["id"]]["w"]
                drawn[row["id"]] = {**others[row["id"]], "w": w and w * dice.uniform(0.96, 1.04)}
        rows = sorted(drawn.values(), key=lambda row: -(row["w"] or 0.0))
        solar = {"solar_w": 900.0 + 40.0 * dice.random()} if dice.random() < 0.999 else {}
        epoch = dice.choice((START + int(at),) * 400 + (START + at, START + at - 30.0, None))
        update = frame(*rows, at=at, w=dice.choice((300.0, 310.0, 560.0)), **solar)
        yield at, replace(update, epoch=epoch)
        if dice.random() < 0.02:
            yield at + 0.1, Tick()
        if dice.random() < 0.004:
            yield at + 0.2, _rare(at, dice)


def _changed(row, dice: random.Random):
    w = dice.choice((row["w"] + dice.randint(0, 9), 0.04, 500.0, 1500.0, None, -0.2))
    more = {"attrs": ["Idle"]} if dice.random() < 0.1 else {"ao_w": dice.choice((5.0, 6.0))} if "sd" in row else {}
    return {**row, "w": w, **more, "name": dice.choice((row["name"],) * 20 + ("New name",))}


def _frame(rows, at: float, dice: random.Random) -> RealtimeUpdate:
    solar = {"solar_w": dice.choice((900.0, 950.5))} if dice.random() < 0.95 else {}
    house = {"w": dice.choice((300.0, 310.0, 2000.0)), **solar}
    made = bare_frame(*rows, at=at, **house) if dice.random() < 0.01 else frame(*rows, at=at, **house)
    epoch = dice.choice((START + int(at),) * 40 + (START + at, START + at - 30.0, None))
    return replace(made, epoch=epoch)


def _rare(at: float, dice: random.Random) -> Seen:
    times = [START + at - dice.uniform(0, 15) for _ in range(dice.randint(1, 3))]
    kinds = ("DeviceOn", "DeviceOff")
    items = [
        {"type": dice.choice(kinds), "device_id": dice.choice(ROWS)["id"], "time": write_timestamp(time)}
        for time in times
    ]
    return dice.choice((Interrupted(), TimelineRead(read_items(items)), listed(*dice.sample(ROWS, 9))))
