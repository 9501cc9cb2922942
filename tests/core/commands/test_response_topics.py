"""Where answers may go: never where a foreign topic would carry out something with the bridge's rights."""

import pytest

from sense_mqtt.core.commands.response_topics import ResponseTopics, filter_matches
from sense_mqtt.core.publishing.topics import Topics

OURS = ResponseTopics(Topics("home/sense", "ha"))
NARROW = ResponseTopics(Topics("home/sense", "ha"), ("node-red/#", "+/answers"))

ALLOWED = [
    ("a topic of the asker's", "node-red/answers"),
    ("a single level", "answers"),
    ("empty levels", "/a//b/"),
    ("what only looks like our tree", "home/sense2/x"),
    ("what only looks like Home Assistant's prefix", "hall/status"),
    ("our own response topic", "home/sense/bridge/response/status"),
    ("a word of our own below our response topics", "home/sense/bridge/response/mine/1"),
    ("letters of any language", "réponse/答え"),
    ("words that only resemble commands", "a/requests/b"),
    ("as long as it may be", "a" * 256),
]
REFUSED = [
    ("nothing", ""),
    ("the broker's own tree", "$SYS/x"),
    ("a shared subscription", "$share/g/x"),
    ("one level as a wildcard", "a/+/b"),
    ("many levels as a wildcard", "a/#"),
    ("a wildcard within a level", "a+b"),
    ("a null character", "a\0b"),
    ("a control character, on which Mosquitto hangs up", "a\x1bb"),
    ("a non-character, on which Mosquitto hangs up", "a\uffffb"),
    ("half a surrogate pair", "a\ud800b"),
    ("longer than some brokers bear", "a" * 257),
    ("deeper than some brokers bear", "/".join("a" * 33)),
    ("Home Assistant's birth topic", "ha/status"),
    ("a discovery topic", "ha/device/x/config"),
    ("Home Assistant's prefix itself", "ha"),
    ("our base topic", "home/sense"),
    ("a retained value of ours", "home/sense/7/power"),
    ("an event of ours", "home/sense/7/device/a/event"),
    ("our state", "home/sense/bridge/state"),
    ("our own requests", "home/sense/bridge/request/restart"),
    ("our response topics' parent", "home/sense/bridge/response"),
    ("what only looks like a response of ours", "home/sense/bridge/responses/x"),
    ("a request to another bridge", "zigbee2mqtt/bridge/request/restart"),
    ("a request in other letters", "zigbee2mqtt/bridge/Request/restart"),
    ("a request at the beginning", "request/restart"),
    ("a request at the end", "bridge/request"),
    ("a lamp's command", "zigbee2mqtt/lamp/set"),
    ("a lamp's command with an attribute", "zigbee2mqtt/lamp/set/brightness"),
    ("a command by a longer name", "a/setpoint"),
    ("a command at the beginning", "set/lamp"),
]


def rows(table):
    return {"argvalues": [row[1] for row in table], "ids": [row[0] for row in table]}


@pytest.mark.parametrize("topic", **rows(ALLOWED))
def test_a_topic_that_harms_nobody_is_answered(topic):
    assert OURS.allow(topic)


@pytest.mark.parametrize("topic", **rows(REFUSED))
def test_a_topic_that_would_carry_out_something_is_not_answered(topic):
    assert not OURS.allow(topic)


@pytest.mark.parametrize(
    ("topic", "allowed"),
    [
        ("node-red/answers/1", True),
        ("node-red", True),
        ("somebody/answers", True),
        ("somebody/else", False),
        ("node-red/set", False),
        ("ha/answers", False),
        ("home/sense/bridge/response/x", True),
    ],
)
def test_filters_narrow_what_is_allowed_and_never_widen_it(topic, allowed):
    assert NARROW.allow(topic) is allowed


@pytest.mark.parametrize(
    ("pattern", "topic", "matches"),
    [
        ("#", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/b/d", False),
        ("+", "a/b", False),
        ("a/b", "a/b", True),
        ("+/b/#", "a", False),
    ],
)
def test_a_filter_matches_as_a_broker_would_say(pattern, topic, matches):
    assert filter_matches(pattern, topic) is matches
