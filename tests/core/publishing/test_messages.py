"""From changes to messages."""

import json

import pytest

from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.changes import DeviceChanged, DeviceRemoved, Event, Reading, ReadingRemoved
from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.core.publishing.messages import HomeTopics, as_of, event_id_of, stored_event, to_messages
from sense_mqtt.core.publishing.topics import Topics
from tests.support.core.builders import START

TOPICS = HomeTopics(Topics(base="home/sense"), 7, {})


def test_a_reading_is_retained_below_its_subject():
    changes = [Reading(None, "power", 300.0), Reading("a b", "state", True), Reading(None, "energy/day", {})]
    assert to_messages(changes, TOPICS) == (
        Message("home/sense/7/power", "300.0", retain=True),
        Message("home/sense/7/device/a_b/state", "ON", retain=True),
        Message("home/sense/7/energy/day", "{}", retain=True),
    )


def test_availability_goes_before_values():
    (message,) = to_messages([Reading(None, "availability", True)], TOPICS)
    assert message == Message("home/sense/7/availability", "online", retain=True, order=PublishOrder.AVAILABILITY)


def test_an_event_of_a_device_is_not_retained_and_says_what_the_contract_shows():
    fields = {"name": "Dryer", "power_w": 5584.7, "source": "frame", "late": False}
    message, copy = to_messages([Event("1a2b3c4d", "turned_on", START + 0.5, fields)], TOPICS)
    assert (message.topic, message.retain) == ("home/sense/7/device/1a2b3c4d/event", False)
    assert (copy.topic, copy.retain, copy.payload) == ("home/sense/7/events", False, message.payload)
    assert json.loads(message.payload) == {
        "id": "d4cf8733d88dcc72557d84b227ee3750",
        "event_type": "turned_on",
        "monitor": 7,
        "device": "1a2b3c4d",
        "name": "Dryer",
        "time": "2026-11-18T11:06:40.500Z",
        "power_w": 5584.7,
        "source": "frame",
        "late": False,
    }


def test_an_event_of_the_house_names_the_device_that_it_is_about():
    message, copy = to_messages([Event(None, "device_found", START, {"device": "a", "name": "A"})], TOPICS)
    assert (message.topic, copy.topic, copy.payload) == ("home/sense/7/event", "home/sense/7/events", message.payload)
    assert json.loads(message.payload) == {
        "id": "1d12dba1c7346a0fc73aad618941b2da",
        "event_type": "device_found",
        "monitor": 7,
        "time": "2026-11-18T11:06:40.000Z",
        "device": "a",
        "name": "A",
    }


def test_a_reading_that_a_device_does_not_have_any_more_is_cleared_for_good():
    assert to_messages([ReadingRemoved("a", "running")], TOPICS) == (
        Message(TOPICS.name("a", "running"), "", retain=True, final=True),
    )


def test_a_withdrawal_clears_every_retained_topic_of_the_device_once():
    messages = to_messages([DeviceRemoved("a")], TOPICS)
    topics = [message.topic.removeprefix("home/sense/7/device/a/") for message in messages]
    assert topics[:3] == ["attributes", "state", "power"]
    assert {entity.topic for each in CAPABILITIES for entity in each.device_entities} == set(topics[3:])
    assert len(set(topics)) == len(topics)
    assert all(message.retain and not message.payload for message in messages)


def test_an_introduction_is_left_to_discovery():
    assert to_messages([DeviceChanged("a"), DeviceChanged(None)], TOPICS) == ()


RECORDED = '{"id":"b3f0","time":"2026-11-18T11:06:40.000Z","late":false}'


@pytest.mark.parametrize(("after_s", "late"), [(0, "false"), (60, "false"), (60.5, "true"), (3 * 3600, "true")])
def test_an_event_is_late_when_it_goes_out_more_than_a_minute_after_it_happened(after_s, late):
    event = stored_event(5, "e", RECORDED)
    assert as_of(event, START + after_s).payload == RECORDED.replace("false", late)


@pytest.mark.parametrize("payload", ["no JSON", "[1]", "{}", '{"late":false}', '{"time":"2020-01-01T00:00:00Z"}'])
def test_what_says_nothing_of_being_late_goes_out_as_it_was_written_down(payload):
    event = stored_event(5, "e", payload)
    assert as_of(event, START + 3600) is event


def test_a_reading_goes_out_as_it_is():
    reading = Message("t", RECORDED, retain=True)
    assert as_of(reading, START + 3600) is reading


@pytest.mark.parametrize(
    ("payload", "identity"),
    [
        pytest.param(RECORDED, "b3f0", id="its id"),
        pytest.param('{"event_type":"paused"}', '{"event_type":"paused"}', id="all of it, without an id"),
        pytest.param("[" * 100_000, "[" * 100_000, id="what others write to our topics"),
    ],
)
def test_an_event_is_known_by_its_id_however_late_it_is_reported(payload, identity):
    assert event_id_of(payload) == identity
