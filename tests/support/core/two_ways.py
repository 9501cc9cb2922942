"""Realtime updates gone wrong, read in both ways: straight into types, and tolerantly."""

import json
import random
from typing import Any

import msgpack

from sense_mqtt.core.wire.decode import decode
from sense_mqtt.core.wire.devices import number
from sense_mqtt.core.wire.frames import decode_tolerantly, holds_json, read_update
from sense_mqtt.errors import BadFrame
from tests.support.core.builders import START
from tests.support.core.fuzz import ODD, UPDATE, deep, positions, put

KNOWN = frozenset({"1a2b3c4d", "ssi-1", "always_on", "unknown", "solar", "plug"})
NUMBERS = (0, 1, -1, 1.5, -0.0, -0.3, 999999, 1e7, 1.0000001e7, 1e14, 1e15, 1e300, 10**18, 10**30)
OTHERS = (
    None,
    True,
    "",
    " ",
    " TV ",
    "TV",
    "Other",
    "hidden",
    "b",
    "nobody",
    [],
    {},
    [None, 1, "x"],
    ["Idle"],
    ["Idle", 1],
)
ROWS = (
    {"id": "plug", "name": " Plug", "w": -0.2, "attrs": [], "ao_w": 3.5, "ao_st": False},
    {"id": "hidden", "name": "Hidden", "w": 12, "tags": {"DeviceListAllowed": "false"}},
    {
        "id": "nobody",
        "name": "Nobody",
        "w": 2.5,
        "sd": {},
        "make": "Acme",
        "tags": {"Type": "Heater", "DateCreated": 1},
    },
    {"id": "1a2b3c4d", "name": "twice", "w": 1.0},
)
DAMAGE = tuple(
    rb"\xff \xc0 \xcb \xdf\xff \x91 \x81\x90 \xc4\x01w \xa1w".decode("unicode_escape").encode("latin-1").split(b" ")
) + tuple(b'NaN - 0 e5 " } \\u0000 \\ud800'.split())


def mutated(dice: random.Random) -> str | bytes:
    """Return an update as it comes over the feed, with something wrong here and there."""
    message: Any = UPDATE
    if dice.random() < 0.3:
        rows = [*UPDATE["payload"]["devices"], *dice.sample(ROWS, dice.randint(1, 3))]
        message = put(message, ("payload", "devices"), rows)
    for _ in range(dice.choice((0, 1, 1, 1, 2))):
        path = dice.choice(list(positions(message)))
        wrong = dice.choice(((...,), NUMBERS, NUMBERS, OTHERS, [odd for odd in ODD if len(str(odd)) < 500], [deep(50)]))
        message = put(message, path, dice.choice(wrong))
    raw = _encoded(message, dice)
    return _damaged(raw, dice) if dice.random() < 0.25 else raw


def _encoded(message: Any, dice: random.Random) -> str | bytes:
    if dice.random() < 0.5:
        text = json.dumps(message, ensure_ascii=dice.random() < 0.7, indent=dice.choice((None, None, 1)))
        return text if dice.random() < 0.6 else text.encode(errors="surrogatepass")
    kind, payload = (message.get("type"), message.get("payload")) if isinstance(message, dict) else ("x", message)
    epoch = dice.choice((START, START, int(START), 0, None, 1.5, -3, 2**32, "x"))
    return b"".join(_packed(each, dice) for each in (kind, epoch, payload))


def _packed(value: Any, dice: random.Random) -> bytes:
    try:
        return msgpack.packb(value, unicode_errors="surrogatepass", use_single_float=dice.random() < 0.1)
    except OverflowError:  # an integer that msgpack cannot hold
        return msgpack.packb(str(value))


def _damaged(raw: str | bytes, dice: random.Random) -> str | bytes:
    data = bytearray(raw if isinstance(raw, bytes) else raw.encode(errors="surrogatepass"))
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(data))
        if dice.random() < 0.5:
            data[at] = dice.randrange(256)
        else:
            data[at : at + dice.choice((0, 1, 2))] = dice.choice(DAMAGE)
    cut = dice.choice((len(data), len(data), len(data), dice.randrange(len(data) + 1)))
    return bytes(data[:cut]) if isinstance(raw, bytes) else data[:cut].decode(errors="replace")


# --- both ways


def read_both(raw: str | bytes) -> tuple[str, str]:
    """Return what each way makes of a message, the typed one first; equal where they agree."""
    return _told(lambda: decode(raw, KNOWN)), _told(lambda: decode_tolerantly(raw, KNOWN))


def _told(read: Any) -> str:
    try:
        return repr(read())
    except BadFrame as error:
        return f"BadFrame {error.kind}"


def read_used(raw: str | bytes) -> str:
    """Return what a message says in the fields that are used, whatever is damaged in the others."""
    if holds_json(raw):
        payload, epoch = json.loads(raw, parse_int=float)["payload"], None
    else:
        unpacker = msgpack.Unpacker(strict_map_key=False, unicode_errors="surrogateescape", object_pairs_hook=_texts)
        unpacker.feed(raw)
        _, epoch, payload = unpacker
    return repr(read_update(payload, number(epoch), known=KNOWN))


def _texts(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if isinstance(key, str)}
