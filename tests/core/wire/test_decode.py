"""A realtime update is read straight into types; what that way does not understand to the letter is read tolerantly."""

import json

import msgpack
import pytest

from sense_mqtt.core.bounds import MAX_FRAME_ITEMS
from sense_mqtt.core.wire.decode import decode, decode_update
from sense_mqtt.core.wire.frames import decode_tolerantly
from sense_mqtt.errors import BadFrame
from tests.support.core.builders import START
from tests.support.core.fuzz import UPDATE, put, throw
from tests.support.core.two_ways import KNOWN, mutated, read_both, read_used
from tests.support.seeds import seeds

PAYLOAD = UPDATE["payload"]
BARE = {key: value for key, value in PAYLOAD.items() if key != "epoch"}


def packed(*objects) -> bytes:
    return b"".join(map(msgpack.packb, objects))


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", seeds(8, quick=1))
def test_both_ways_say_the_same_of_an_update_gone_wrong(seed):
    dice = throw(seed)
    for _ in range(1000):
        raw = mutated(dice)
        typed, tolerant = read_both(raw)
        if typed != tolerant:  # only what is not used is damaged
            assert tolerant in ("BadFrame not_msgpack", "BadFrame not_json"), raw
            assert typed == read_used(raw), raw


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(json.dumps(UPDATE), id="text"),
        pytest.param(json.dumps(UPDATE).encode(), id="binary JSON"),
        pytest.param(json.dumps(UPDATE | {"type": "RealtimeUpdate"}), id="a type of 2018"),
        pytest.param(packed("realtime_update", int(START), PAYLOAD), id="msgpack"),
        pytest.param(packed("realtime_update", int(START), BARE), id="msgpack, an envelope's epoch"),
        pytest.param(packed("realtime_update", START + 0.5, BARE), id="msgpack, an envelope's epoch with a fraction"),
        pytest.param(packed("realtime_update", int(START * 1000), BARE), id="msgpack, an envelope's epoch in ms"),
    ],
)
@pytest.mark.parametrize(
    "known", [KNOWN, KNOWN - {"ssi-1", "unknown"}, ()], ids=["known", "two are new", "all are new"]
)
def test_what_sense_sends_is_read_straight_into_types_and_says_what_it_says_tolerantly(raw, known):
    typed, tolerant = decode_update(raw, known), decode_tolerantly(raw, known)
    assert typed == tolerant == decode(raw, known)
    assert [row.id for row in tolerant.new_devices] == [
        row["id"] for row in PAYLOAD["devices"] if row["id"] not in known
    ]
    assert repr(typed) == repr(tolerant)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(json.dumps(UPDATE | {"type": "hello"}), id="another type"),
        pytest.param(packed("hello", 1, {"online": True}), id="another type, msgpack"),
        pytest.param(packed("realtime_update", -1, PAYLOAD), id="an epoch before 1970"),
        pytest.param(b"\xafrealtime_update\xce", id="cut off"),
        pytest.param("[" * 900, id="nested too deep"),
        pytest.param("\xaf", id="text that is no JSON"),
        pytest.param(json.dumps(put(UPDATE, ("payload", "w"), 2e7)), id="more than a house can draw"),
        pytest.param(json.dumps(put(UPDATE, ("payload", "devices", 1, "id"), "1a2b3c4d")), id="a device twice"),
        pytest.param(json.dumps(put(UPDATE, ("payload", "devices", 1, "id"), " a")), id="a blank in an unknown id"),
        pytest.param(json.dumps(put(UPDATE, ("payload", "devices", 1, "id"), "a" * 200)), id="too long an id"),
        pytest.param(json.dumps(put(UPDATE, ("payload", "devices", 1, "w"), "9")), id="text for a number"),
    ],
)
def test_all_else_is_left_to_the_tolerant_way(raw):
    assert decode_update(raw, KNOWN) is None


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(json.dumps(put(UPDATE, ("payload", "x"), [[]] * MAX_FRAME_ITEMS)), id="JSON"),
        pytest.param(packed("realtime_update", 1, PAYLOAD | {"x": [[]] * MAX_FRAME_ITEMS}), id="msgpack"),
    ],
)
def test_an_update_that_holds_too_much_is_refused_also_where_that_is_not_used(raw):
    with pytest.raises(BadFrame, match=str(MAX_FRAME_ITEMS)):
        decode(raw, KNOWN)


@pytest.mark.parametrize(
    "pack", [json.dumps, lambda message: packed("realtime_update", int(START), message["payload"])]
)
def test_a_long_update_that_holds_little_is_read_straight_into_types(pack):
    raw = pack(put(UPDATE, ("payload", "x"), "x" * 2 * MAX_FRAME_ITEMS))
    assert decode_update(raw, KNOWN) is not None
