"""Requests: what is understood, what is refused and how; whatever a request holds, it gets exactly one answer."""

import json

import pytest

from sense_mqtt.core.commands.parse import MAX_NAME, MAX_PAYLOAD_BYTES, choose_monitor, needs_monitor, parse
from sense_mqtt.core.commands.responses import ABSENT, Command, Response, ResponseTo
from sense_mqtt.core.commands.table import COMMANDS, complete, read_pairs
from sense_mqtt.errors import CommandRefused


def refused(name, payload, **how):
    response = parse(name, payload, **how)
    assert isinstance(response, Response)
    return json.loads(response.payload)


UNDERSTOOD = [
    ("nothing at all", "devices", b"", {}),
    ("blanks", "devices", b" \n", {}),
    ("an empty object", "devices", b"{}", {}),
    ("one device", "device", b'{"id": "1a2b3c4d"}', {"id": "1a2b3c4d"}),
    ("the timeline's defaults", "timeline", b"", {"n_items": 30}),
    ("energy's defaults", "energy", b"", {"scale": "DAY"}),
    ("usage of a month", "usage", b'{"scale":"month","start":"2026-11-21"}',
     {"scale": "MONTH", "start": "2026-11-21T12:00:00.000Z"}),
    ("hours, which only trends have", "trends", b'{"scale":"hour"}', {"scale": "HOUR"}),
    ("history's defaults", "history", b"", {"granularity": "MINUTE", "frames": 60}),
    ("all of history", "history", b'{"granularity":"SECOND","start":"2026-11-21","frames":10080,"device_id":"solar"}',
     {"granularity": "SECOND", "start": "2026-11-21T00:00:00.000Z", "frames": 10080, "device_id": "solar"}),
    ("a path", "get", b'{"path":"/app/{monitor}/x","params":{"a":1}}', {"path": "app/{monitor}/x", "params": {"a": 1}}),
    ("a pause", "pause", b"", {"minutes": 10, "silent": False}),
    ("a level", "log_level", b'{"level":"DEBUG"}', {"level": "debug"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "payload", "arguments"), [row[1:] for row in UNDERSTOOD], ids=[row[0] for row in UNDERSTOOD]
)
def test_a_good_request_is_understood(name, payload, arguments):
    assert parse(name, payload) == Command(name, arguments, None, ABSENT, ResponseTo(None, None))


def test_a_request_carries_monitor_transaction_and_where_to_answer():
    payload = b'{"monitor": "123456", "transaction": {"n": 1}}'
    command = parse("status", payload, response_topic="node-red/answers", correlation=b"\x01")
    assert command == Command("status", {}, 123456, {"n": 1}, ResponseTo("node-red/answers", b"\x01"))


@pytest.mark.parametrize(("payload", "transaction"), [(b"", ABSENT), (b'{"transaction":null}', None)])
def test_a_transaction_of_null_is_given_and_a_missing_one_is_not(payload, transaction):
    assert parse("status", payload).transaction is transaction


REFUSED = [
    ("an unknown command", "reboot", b"", "unknown_command", 'no command "reboot"; there are: devices, device,'),
    ("a command below a command", "get/x", b"", "unknown_command", 'no command "get/x"'),
    ("no command", "", b"", "unknown_command", 'no command ""'),
    ("no UTF-8", "status", b"\xff{}", "bad_request", "the request is not JSON: 'utf-8' codec can't decode"),
    ("no JSON", "status", b"PRESS", "bad_request", "the request is not JSON: Expecting value"),
    ("half of JSON", "status", b'{"a":', "bad_request", "the request is not JSON: Expecting value"),
    ("a list", "status", b"[1]", "bad_request", "the request must be a JSON object or empty, not [1]"),
    ("null", "status", b"null", "bad_request", "the request must be a JSON object or empty, not null"),
    ("NaN", "status", b'{"transaction":NaN}', "bad_request", 'the request is not JSON: "NaN" is no JSON number'),
    ("a number too large", "status", b'{"transaction":1e999}', "bad_request", 'the request is not JSON: "1e999" is no'),
    ("endless digits", "status", b'{"transaction":%s}' % (b"1" * 5000), "bad_request", "the request is not JSON: Exc"),
    ("deep nesting", "status", b"[" * 60_000, "bad_request", "the request is nested too deep"),
    ("too much", "status", b" " * (MAX_PAYLOAD_BYTES + 1), "too_large", "the request has 65537 bytes; at most 65536"),
    ("a name twice", "device", b'{"id":"a","id":"b"}', "bad_request", '"id" appears more than once in one object'),
    ("a name twice, deep", "get", b'{"path":"a","params":{"b":1,"b":2}}', "bad_request", '"b" appears more than once'),
    ("a transaction twice", "status", b'{"transaction":1,"transaction":2}', "bad_request", '"transaction" appears'),
    ("an endless transaction", "status", b'{"transaction":"%s"}' % (b"x" * 1023), "bad_request", "transaction: has"),
    ("no monitor", "status", b'{"monitor":"all"}', "bad_request", "monitor: must be a monitor's id, a whole"),
    ("an unknown argument", "status", b'{"id":1}', "bad_request", 'unknown argument "id"; allowed: monitor'),
    ("a missing argument", "device", b"{}", "bad_request", "id: is missing; must be a device's id"),
    ("a wrong argument", "pause", b'{"minutes":1441}', "bad_request",
     "minutes: must be a whole number from 0 to 1440, not 1441"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "payload", "code", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_bad_request_is_refused_with_its_reason(name, payload, code, message):
    respond = refused(name, payload)
    assert respond["status"] == "error"
    assert respond["code"] == code
    assert respond["error"].startswith(message)
    assert "transaction" not in respond


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("reboot", b'{"transaction":"abc"}'),
        ("device", b'{"transaction":"abc"}'),
        ("device", b'{"transaction":"abc","id":"a","id":"b"}'),
        ("device", b'{"transaction":"abc","id":%s}' % (b"[" * 300 + b"]" * 300)),
        ("status", b'{"transaction":"abc","monitor":[]}'),
    ],
    ids=["unknown command", "missing argument", "name twice", "nested argument", "wrong monitor"],
)
def test_a_refusal_echoes_the_transaction_where_it_could_be_read(name, payload):
    assert refused(name, payload)["transaction"] == "abc"


def test_no_depth_of_nesting_escapes_an_answer():
    payloads = [b'{"transaction":' + b"[" * depth + b"]" * depth + b"}" for depth in range(513, 1100)]
    assert all(isinstance(parse("status", payload), Response) for payload in payloads)


def test_a_retained_request_is_refused_and_answered():
    respond = refused("restart", b'{"transaction":"abc"}', retain=True)
    assert respond == {
        "status": "error",
        "error": "a retained request is refused: publish it without retain",
        "code": "bad_request",
        "transaction": "abc",
    }


def test_a_refusal_goes_where_the_request_says():
    response = parse("reboot", b"", response_topic="node-red/answers", correlation=b"\x01")
    assert (response.command, response.topic, response.correlation) == ("reboot", "node-red/answers", b"\x01")


def test_an_endless_name_is_answered_under_its_beginning():
    assert parse("x" * 60_000, b"").command == "x" * MAX_NAME


CHOSEN = [
    ("the only one", b"", (7,), 7),
    ("the one that was named", b'{"monitor":8}', (7, 8), 8),
]
NOT_CHOSEN = [
    ("several", b"", (7, 8), "bad_request", "monitor: is missing; must be one of 7, 8"),
    ("another's", b'{"monitor":5}', (7, 8), "not_found", "no monitor 5 on this account"),
    ("none", b"", (), "not_found", "no monitor on this account"),
]


@pytest.mark.parametrize(("payload", "known", "monitor"), [row[1:] for row in CHOSEN], ids=[row[0] for row in CHOSEN])
def test_the_monitor_is_chosen(payload, known, monitor):
    assert choose_monitor(parse("status", payload), known) == monitor


@pytest.mark.parametrize(
    ("payload", "known", "code", "message"), [row[1:] for row in NOT_CHOSEN], ids=[row[0] for row in NOT_CHOSEN]
)
def test_no_monitor_can_be_chosen(payload, known, code, message):
    with pytest.raises(CommandRefused) as refusal:
        choose_monitor(parse("status", payload), known)
    assert (refusal.value.code, str(refusal.value)) == (code, message)


@pytest.mark.parametrize(
    ("name", "payload", "needed"),
    [
        ("status", b"", True),
        ("timeline", b"", False),
        ("refresh", b"", True),
        ("health", b"", False),
        ("pause", b"", False),
        ("get", b'{"path":"users/{user}"}', False),
        ("get", b'{"path":"app/{monitor}/x"}', True),
        ("get", b'{"path":"app/x","params":{"monitor_id":"{monitor}"}}', True),
        ("get", b'{"path":"app/x","params":{"monitor_id":1}}', False),
    ],
)
def test_a_monitor_is_needed_only_where_sense_is_asked_about_one(name, payload, needed):
    command = parse(name, payload)
    assert needs_monitor(command) is needed
    assert needed or choose_monitor(command, (7, 8)) == 7


@pytest.mark.parametrize(
    ("name", "pairs", "read"),
    [
        ("timeline", ["n_items=5", "device_id=12345678"], {"n_items": 5, "device_id": "12345678"}),
        ("get", ["path=app/x", 'params={"a": 1}'], {"path": "app/x", "params": {"a": 1}}),
        ("device", ["id=a=b"], {"id": "a=b"}),
        ("pause", ["minutes=ten", "silent=true"], {"minutes": "ten", "silent": True}),
        ("nonsense", ["a=" + "[" * 100_000], {"a": "[" * 100_000}),
    ],
    ids=["numbers and ids", "an object", "a second sign", "no JSON", "deep nesting"],
)
def test_a_command_line_is_read_as_json_or_text(name, pairs, read):
    assert read_pairs(name, pairs) == read


@pytest.mark.parametrize("pair", ["n_items", "=5", ""])
def test_a_word_without_key_and_value_is_refused(pair):
    with pytest.raises(CommandRefused, match="write arguments as key=value"):
        read_pairs("timeline", [pair])


def test_the_table_holds_the_contracts_commands():
    by_place = {
        where: [name for name, row in COMMANDS.items() if row.runs_on == where] for where in ("sense", "bridge")
    }
    sense = "devices device always_on unknown status overview timeline history usage solar_usage trends energy realtime"
    assert " ".join(by_place["sense"]) == f"{sense} comparisons rate_zones get"
    assert " ".join(by_place["bridge"]) == "refresh republish pause resume health log_level restart"


def test_schedules_get_their_arguments_from_the_same_table():
    assert complete("energy", {"scale": "week"}) == {"scale": "WEEK"}
