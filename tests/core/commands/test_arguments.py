"""The sorts of arguments: what each lets through, in which form, and what it says when it does not."""

import pytest

from sense_mqtt.core.commands import arguments as kinds
from sense_mqtt.core.commands.arguments import Argument, fill, quoted
from sense_mqtt.errors import CommandRefused

SCALE = kinds.choice("DAY", "WEEK")
COUNT = kinds.whole_number(1, 1000)

READ = [
    ("a word in any case", SCALE, "week", "WEEK"),
    ("a number at its lower bound", COUNT, 1, 1),
    ("a number at its upper bound", COUNT, 1000, 1000),
    ("a monitor as a number", kinds.MONITOR_ID, 123456, 123456),
    ("a monitor as text, as templates make it", kinds.MONITOR_ID, "123456", 123456),
    ("a device's id", kinds.DEVICE_ID, "ssi-e14f23e", "ssi-e14f23e"),
    ("a flag", kinds.FLAG, False, False),
    ("a bare date as an instant of that day in America", kinds.PERIOD, "2026-11-21", "2026-11-21T12:00:00.000Z"),
    ("a period by an instant", kinds.PERIOD, "2026-11-21T19:00:00Z", "2026-11-21T19:00:00.000Z"),
    ("a bare date as its first instant", kinds.TIME, "2026-11-21", "2026-11-21T00:00:00.000Z"),
    ("a time without zone as UTC", kinds.TIME, "2026-11-21T19:00:00", "2026-11-21T19:00:00.000Z"),
    ("a time with zone in UTC", kinds.TIME, "2026-11-21T19:00:00.25-05:00", "2026-11-22T00:00:00.250Z"),
    ("a path", kinds.PATH, "app/monitors/{monitor}/status", "app/monitors/{monitor}/status"),
    ("a path without its leading slash", kinds.PATH, "/users/{user}/timeline", "users/{user}/timeline"),
    ("a path that ends with a slash", kinds.PATH, "app/x/", "app/x/"),
    ("dots within a name", kinds.PATH, "app/a..b", "app/a..b"),
    ("parameters of every sort", kinds.PARAMS, {"a": "x y", "b": 1, "c": True, "d": False, "e": 1.5},
     {"a": "x y", "b": 1, "c": "true", "d": "false", "e": "1.5"}),
]  # fmt: skip

REFUSED = [
    ("another word", SCALE, "HOUR"),
    ("no text for a word", SCALE, 1),
    ("too little", COUNT, 0),
    ("too much", COUNT, 1001),
    ("a fraction", COUNT, 30.0),
    ("true for a number", COUNT, True),
    ("text for a number", COUNT, "30"),
    ("a monitor that is no number", kinds.MONITOR_ID, "12a"),
    ("a monitor in other digits", kinds.MONITOR_ID, "²"),
    ("a monitor of endless digits", kinds.MONITOR_ID, "1" * 5000),
    ("a negative monitor", kinds.MONITOR_ID, -1),
    ("true for a monitor", kinds.MONITOR_ID, True),
    ("a list for a monitor", kinds.MONITOR_ID, [1]),
    ("an id with a slash", kinds.DEVICE_ID, "a/b"),
    ("an id of dots", kinds.DEVICE_ID, ".."),
    ("an empty id", kinds.DEVICE_ID, ""),
    ("an id with a line end", kinds.DEVICE_ID, "abc\n"),
    ("an id that is a number", kinds.DEVICE_ID, 12345678),
    ("1 for a flag", kinds.FLAG, 1),
    ("text that is no time", kinds.TIME, "yesterday"),
    ("a number for a time", kinds.TIME, 1700000000),
    ("a time before the epoch", kinds.TIME, "1969-12-31"),
    ("a date that does not exist", kinds.PERIOD, "2026-02-30"),
    ("half a surrogate pair", kinds.PERIOD, "\ud800"),
    ("a path of no text", kinds.PATH, 5),
    ("an empty path", kinds.PATH, ""),
    ("an endless path", kinds.PATH, "a" * 513),
    ("another host", kinds.PATH, "//evil.example/x"),
    ("a scheme", kinds.PATH, "https://evil.example/x"),
    ("a scheme without slashes", kinds.PATH, "https:evil"),
    ("the root", kinds.PATH, "/"),
    ("two slashes within", kinds.PATH, "app//x"),
    ("a way up", kinds.PATH, "app/../../admin"),
    ("a way up at the end", kinds.PATH, "app/.."),
    ("staying where one is", kinds.PATH, "./app"),
    ("a way up, encoded", kinds.PATH, "app/%2e%2e/x"),
    ("a slash, encoded", kinds.PATH, "app%2fx"),
    ("a way up with backslashes", kinds.PATH, "app\\..\\x"),
    ("a query", kinds.PATH, "app/x?y=1"),
    ("a fragment", kinds.PATH, "app/x#y"),
    ("a user in the address", kinds.PATH, "app@evil.example/x"),
    ("a line end", kinds.PATH, "app/x\r\nHost: evil"),
    ("a line end at the end", kinds.PATH, "app/x\n"),
    ("a space", kinds.PATH, "app/x y"),
    ("another alphabet", kinds.PATH, "app/\uff0e\uff0e/x"),
    ("an unknown placeholder", kinds.PATH, "app/{token}"),
    ("the end of the session", kinds.PATH, "/Logout"),
    ("the end of the session with a slash", kinds.PATH, "logout/"),
    ("a list of parameters", kinds.PARAMS, [1]),
    ("too many parameters", kinds.PARAMS, {str(number): 1 for number in range(33)}),
    ("a parameter without a name", kinds.PARAMS, {"": 1}),
    ("a parameter within a parameter", kinds.PARAMS, {"a": {"b": 1}}),
    ("a parameter that is null", kinds.PARAMS, {"a": None}),
    ("a parameter that is infinite", kinds.PARAMS, {"a": float("inf")}),
    ("a parameter that no server counts to", kinds.PARAMS, {"a": 10**18}),
    ("a parameter with a line end", kinds.PARAMS, {"a": "x\r\n"}),
    ("an endless parameter", kinds.PARAMS, {"a": "x" * 513}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "read"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_allowed_is_read(kind, value, read):
    result = Argument("it", kind).read(value)
    assert result == read
    assert type(result) is type(read)


@pytest.mark.parametrize(("kind", "value"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_not_allowed_is_refused_by_name(kind, value):
    with pytest.raises(CommandRefused) as refusal:
        Argument("it", kind).read(value)
    assert refusal.value.code == "bad_request"
    assert str(refusal.value).startswith(f"it: must be {kind.allowed}, not ")
    assert len(str(refusal.value)) < 500


def test_the_message_names_argument_fault_and_what_is_allowed():
    with pytest.raises(CommandRefused) as refusal:
        Argument("path", kinds.PATH).read("app/../x")
    assert str(refusal.value).endswith(', not "app/../x" (".." cannot stand between slashes)')


def test_defaults_fill_in_and_null_counts_as_left_out():
    rows = (Argument("scale", SCALE, "DAY"), Argument("start", kinds.PERIOD), Argument("n_items", COUNT, 30))
    assert fill(rows, {"scale": None, "n_items": 5}) == {"scale": "DAY", "n_items": 5}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "id: is missing; must be a device's id"),
        ({"id": None}, "id: is missing; must be a device's id"),
        ({"id": "a", "di": "b"}, 'unknown argument "di"; allowed: id, monitor, transaction'),
    ],
    ids=["left out", "null", "unknown"],
)
def test_missing_and_unknown_arguments_are_refused(given, message):
    with pytest.raises(CommandRefused, match="^" + message):
        fill((Argument("id", kinds.DEVICE_ID, required=True),), given)


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        (Argument("n_items", COUNT, 30), "n_items (30): a whole number from 1 to 1000"),
        (Argument("scale", SCALE, "DAY"), "scale (DAY): DAY or WEEK"),
        (Argument("silent", kinds.FLAG, default=False), "silent (false): true or false"),
        (Argument("silent", kinds.FLAG, required=True), "silent (required): true or false"),
        (Argument("silent", kinds.FLAG), "silent: true or false"),
    ],
)
def test_an_argument_describes_itself(argument, line):
    assert argument.describe() == line


def test_what_is_shown_is_short_and_plain():
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    assert quoted("é\n") == '"\\u00e9\\n"'
    assert quoted("x" * 1000) == '"' + "x" * 59 + "..."
    assert quoted(nested) == "something nested too deep"
