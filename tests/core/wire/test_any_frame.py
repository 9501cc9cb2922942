"""Whatever Sense sends: a BadFrame at worst, and never a payload that a reader could not parse."""

import json
from functools import partial
from itertools import pairwise

import msgpack
import pytest

from sense_mqtt.core.changes import Event, Reading, StateChanged
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.energy.periods import from_trends, from_usage
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, QueryResult, Tick
from sense_mqtt.core.observe import observe
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.wire.decode import decode
from sense_mqtt.core.wire.devices import VIRTUAL_IDS, read_device_list, rows_of
from sense_mqtt.core.wire.frames import RealtimeUpdate, read_update
from sense_mqtt.core.wire.timeline import read_items
from sense_mqtt.errors import BadFrame
from tests.support.core.builders import START, event_ids, moment, policy
from tests.support.core.fuzz import (
    DEVICE,
    ITEM,
    MESSAGES,
    ODD,
    PLUG,
    RUN,
    UPDATE,
    USAGE,
    deep,
    mutate,
    positions,
    put,
    throw,
)
from tests.support.seeds import seeds

pytestmark = pytest.mark.no_cover  # others cover all that these do


def read_strictly(text: str):
    """Parse JSON as a strict reader does, from UTF-8 bytes."""
    return json.loads(text.encode(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def check(reading: Reading) -> None:
    """Fail where a payload is not what its topic promises."""
    if reading.key in ("attributes", "devices") or reading.key.startswith("energy/"):
        read_strictly(payload_of(reading))
    elif reading.key in ("state", "surplus", "running"):
        assert payload_of(reading) in ("ON", "OFF")
    elif reading.key == "sky":
        assert payload_of(reading) in ("night", "overcast", "partly", "clear", "unknown")
    elif reading.key == "availability":
        assert payload_of(reading) in ("online", "offline")
    elif reading.key == "last_frame":
        assert payload_of(reading).endswith("Z")
    else:
        assert set(payload_of(reading)) <= set("-.0123456789"), reading
        assert abs(float(payload_of(reading))) <= 10e6


def check_all(home, changes) -> None:
    for change in changes:
        if isinstance(change, Reading):
            check(change)
    for message in to_messages(changes, HomeTopics(Topics(), 7, home.topic_ids)):
        assert message.size > 0
        assert not set(message.topic) & set("+#\0 ")
        if message.topic.endswith("/event"):
            assert read_strictly(message.payload)["time"].endswith("Z")


POLICY = policy({"ssi-1": DeviceRules(on_above_w=5.0, on_delay_s=1.0)}, jump_w=100.0)


def survive(home: Home, read, at: float) -> Home:
    """Let a house observe what was sent and what surrounds it; return what it knows then."""
    try:
        seen = read()
    except BadFrame:
        return home
    for thing in (seen, Tick()):
        home, changes = observe(home, thing, moment(at), POLICY)
        check_all(home, changes)
    assert snapshot(restore(7, read_strictly(json.dumps(snapshot(home))), POLICY)) == snapshot(home)
    return home


WRONG = [..., *ODD, deep(400)]
FIFTH = 5  # in each run, a value stands at each fifth position; in `make test-long`, at all


@pytest.mark.parametrize("number", range(len(WRONG)), ids=lambda number: repr(WRONG[number])[:20])
@pytest.mark.parametrize("every", [FIFTH, pytest.param(1, marks=pytest.mark.long)])
def test_one_wrong_value_at_any_position_of_a_frame(number, every):
    home = Home(monitor=7)
    for at, path in enumerate([*positions(UPDATE)][number % every :: every]):
        raw = json.dumps(put(UPDATE, path, WRONG[number]))
        home = survive(home, partial(decode, raw), float(at))
        home = survive(home, partial(decode, json.dumps(UPDATE)), at + 0.5)


@pytest.mark.parametrize("seed", seeds(8, quick=1))
def test_random_messages_gone_wrong(seed):
    dice = throw(seed)
    home = Home(monitor=7)
    for at in range(250):
        raw = json.dumps(mutate(dice.choice(MESSAGES), dice))
        home = survive(home, partial(decode, dice.choice([raw, raw.encode(errors="surrogatepass")])), float(at))
        if dice.random() < 0.1:
            home, changes = observe(home, Interrupted(), moment(at), POLICY)
            assert [change for change in changes if not isinstance(change, StateChanged)] == []


@pytest.mark.parametrize("seed", seeds(8, quick=1))
def test_random_msgpack_gone_wrong_cut_off_and_flipped(seed):
    dice = throw(seed)
    home = Home(monitor=7)
    for at in range(250):
        message = mutate(dice.choice(MESSAGES), dice)
        kind, payload = (message.get("type"), message.get("payload")) if isinstance(message, dict) else ("x", message)
        things = [kind, dice.choice([START, *ODD]), payload]
        raw = bytearray(b"".join(_pack(thing) for thing in things))
        for _ in range(dice.choice([0, 0, 1, 5])):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        home = survive(
            home, partial(decode, bytes(raw[: dice.choice([len(raw), dice.randrange(len(raw) + 1)])])), float(at)
        )


def _pack(thing) -> bytes:
    try:
        return msgpack.packb(thing, unicode_errors="surrogatepass")
    except OverflowError:  # an integer that msgpack cannot hold
        return msgpack.packb(str(thing))


@pytest.mark.parametrize("seed", seeds(4, quick=1))
def test_random_bytes(seed):
    dice = throw(seed)
    home = Home(monitor=7)
    for at in range(500):
        raw = dice.choice([b"", b"{", b"\xafrealtime_update", b"\xa5hello"]) + dice.randbytes(dice.randrange(60))
        home = survive(home, partial(decode, raw), float(at))


@pytest.mark.parametrize("seed", seeds(16, quick=1))
def test_random_answers_of_rest_gone_wrong(seed):
    dice = throw(seed)
    home = Home(monitor=7)
    for at in range(50):
        home = survive(home, partial(read_update, mutate(UPDATE["payload"], dice)), float(at))
        rows = read_device_list(mutate([DEVICE, PLUG, *UPDATE["payload"]["devices"]], dice))
        home = survive(home, partial(DevicesListed, rows), float(at))
        usage = mutate(USAGE, dice)
        for energy in (from_usage("DAY", usage, mutate(USAGE, dice)), from_trends("DAY", usage)):
            home = survive(home, partial(QueryResult, "energy", "day", energy), float(at))
        read_items(rows_of(mutate([ITEM, RUN], dice)))


@pytest.mark.parametrize("raw", ['{"type":"realtime_update","payload":' + "[" * 900 + "]" * 900 + "}", '{"a":' * 5000])
def test_nested_however_deep(raw):
    survive(Home(monitor=7), lambda: decode(raw), 0.0)


@pytest.mark.parametrize("seed", seeds(6, quick=1))
def test_events_of_a_device_alternate_and_their_times_grow_whatever_the_order_of_frames(seed):
    dice = throw(seed)
    home, changes = Home(monitor=7), []
    update = read_update(UPDATE["payload"])
    for at in range(400):
        shown = {draw.id for draw in update.devices if draw.id in VIRTUAL_IDS or dice.random() < 0.5}
        draws = tuple(draw for draw in update.devices if draw.id in shown)
        strangers = tuple(row for row in update.new_devices if row.id in shown)
        epoch = dice.choice([None, START + at, START + at - dice.randrange(3)])
        seen = RealtimeUpdate(1.0, epoch, draws, strangers)
        thing = dice.choice([seen] * 6 + [Tick(), Interrupted(), DevicesListed(update.new_devices)])
        home, more = observe(home, thing, moment(at), POLICY)
        changes += more
    for device in ("1a2b3c4d", "ssi-1"):
        told = [change for change in changes if isinstance(change, Event) and change.device == device]
        assert len(told) > 10
        assert all(before.event_type != after.event_type for before, after in pairwise(told))
        assert all(before.time < after.time for before, after in pairwise(told))
        assert len(set(event_ids(told))) == len(told)
