"""Topic names: built as the contract has them, and read back."""

import pytest

from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.topic_ids import sanitize_id, unique_topic_id

TOPICS = Topics()


@pytest.mark.parametrize(
    ("built", "name"),
    [
        (TOPICS.monitor(123456, "power"), "sense/123456/power"),
        (TOPICS.monitor(123456, "energy/day"), "sense/123456/energy/day"),
        (TOPICS.device(123456, "1a2b3c4d", "state"), "sense/123456/device/1a2b3c4d/state"),
        (TOPICS.device(123456, "ssi/1+#", "state"), "sense/123456/device/ssi_1__/state"),
        (TOPICS.bridge("state"), "sense/bridge/state"),
        (TOPICS.response("devices"), "sense/bridge/response/devices"),
        (TOPICS.requests, "sense/bridge/request/#"),
        (TOPICS.birth, "homeassistant/status"),
        (TOPICS.discovery("device", "sense_mqtt_1"), "homeassistant/device/sense_mqtt_1/config"),
        (Topics(base="home/energy").monitor(1, "power"), "home/energy/1/power"),
        (Topics(prefix="ha").birth, "ha/status"),
    ],
)
def test_topic_is_as_the_contract_has_it(built: str, name: str) -> None:
    assert built == name


@pytest.mark.parametrize(
    ("identity", "written"),
    [("1a2b3c4d", "1a2b3c4d"), ("always_on", "always_on"), ("a.b c/d+#é", "a_b_c_d___"), ("SSI-1", "SSI-1")],
)
def test_unsafe_characters_of_an_id_become_underscores(identity: str, written: str) -> None:
    assert sanitize_id(identity) == written


@pytest.mark.parametrize(
    ("topic", "command"),
    [
        ("sense/bridge/request/devices", "devices"),
        ("sense/bridge/request/", ""),
        ("sense/bridge/request/a/b", "a/b"),
        ("sense/bridge/response/devices", None),
        ("other/bridge/request/devices", None),
    ],
)
def test_command_is_read_from_a_request_topic_only(topic: str, command: str | None) -> None:
    assert TOPICS.command(topic) == command


def test_what_check_publishes_and_our_own_events_are_below_our_topics() -> None:
    assert TOPICS.check_event == ("sense/bridge/event", "sense/+/event")
    assert TOPICS.check_request == ("sense/bridge/request", "sense/bridge/request/#")
    assert TOPICS.command(TOPICS.check_request[0]) is None
    assert TOPICS.check_discovery == "homeassistant/sensor/sense_mqtt_check/check/config"
    assert TOPICS.echoes == ("sense/+/event", "sense/+/device/+/event", "sense/+/events")


def test_the_bridge_hears_requests_home_assistant_its_own_events_and_what_others_say_of_it():
    assert Topics("sense", "ha").subscriptions == (
        "sense/bridge/request/#",
        "ha/status",
        "sense/+/event",
        "sense/+/device/+/event",
        "sense/+/events",
        "sense/bridge/state",
        "sense/+/availability",
    )


APART = [
    pytest.param("a.b", ["c"], "a.b", id="no other device is near"),
    pytest.param("a.b", ["a_b"], "a_b-2e7336dc", id="another has the same topics"),
    pytest.param("a_b", ["a b"], "a_b-648fa9b3", id="the later one may be the plain one"),
    pytest.param("\ud800", ["_"], "_-91a681b9", id="half a surrogate pair"),
]


@pytest.mark.parametrize(("identity", "others", "expected"), APART)
def test_ids_that_differ_in_unsafe_characters_only_have_topics_of_their_own(identity, others, expected):
    assert unique_topic_id(identity, others) == expected
