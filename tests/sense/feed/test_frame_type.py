"""The little that the feed itself knows of a message."""

import json

import msgpack
import pytest

from sense_mqtt.sense.feed.frame_type import is_token_error, is_update


def packed(*objects):
    return b"".join(msgpack.packb(each) for each in objects)


NO = {"authorized": False, "error_reason": "Unauthorized"}
MESSAGES = [
    ("a refusal in JSON", json.dumps({"payload": NO, "type": "error"}), True, False),
    ("a refusal in binary JSON", json.dumps({"type": "error", "payload": NO}).encode(), True, False),
    ("a refusal in msgpack", packed("error", 5, NO), True, False),
    ("an error of another kind", packed("error", 5, {"authorized": True}), False, False),
    ("an error without words", '{"type": "error"}', False, False),
    (
        "a device of that name",
        packed("realtime_update", 5, {"w": 1.0, "devices": [{"name": "authorized"}]}),
        False,
        True,
    ),
    ("a frame", '{"type": "realtime_update", "payload": {"w": 5}}', False, True),
    ("a frame without watts", '{"type": "realtime_update", "payload": {}}', False, False),
    ("a greeting", packed("hello", 5, {"online": True}), False, False),
    ("no message", b"\xc1authorized", False, False),
    ("nothing", "", False, False),
]


@pytest.mark.parametrize(("raw", "refuses", "updates"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
def test_a_message(raw, refuses, updates):
    assert is_token_error(raw) is refuses
    assert is_update(raw) is updates
