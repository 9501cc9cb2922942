"""More devices than there can be, and devices whose ids differ in unsafe characters only."""

import json

import pytest

from sense_mqtt.core.bounds import MAX_DEVICE_ROWS, MAX_DEVICES
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.topic_ids import unique_topic_id
from sense_mqtt.core.wire.devices import read_device_list
from tests.support.core.builders import ALWAYS_ON, HOME, bare_frame, frame, introduced, listed, policy, readings, run

TWINS = ({"id": "a.b", "name": "One", "w": 1.0}, {"id": "a b", "name": "Two", "w": 2.0})
MANY = tuple({"id": f"{number:08x}", "name": f"Device {number}", "w": 1.0} for number in range(MAX_DEVICES + 5))


def power_topics(home, changes):
    messages = to_messages(changes, HomeTopics(Topics(), 7, home.topic_ids))
    return {message.topic for message in messages if message.topic.endswith("/power")}


def test_devices_whose_ids_differ_in_unsafe_characters_only_never_share_a_topic():
    home, changes = run(HOME, (0, frame(*TWINS)))
    topics = power_topics(home, changes) - {"sense/7/power"}
    assert len(topics) == 4  # with always_on and unknown
    assert "sense/7/device/a_b/power" in topics


def test_each_keeps_its_topics_over_a_restart_and_without_the_other():
    home, _ = run(HOME, (0, frame(*TWINS)), (1, listed(*TWINS)))
    again = restore(7, json.loads(json.dumps(snapshot(home))), policy())
    assert again.topic_ids == home.topic_ids
    assert list(again.topic_ids) == ["a b"]
    alone, _ = run(again, (2, listed(TWINS[1])), (3, listed(*reversed(TWINS))))
    assert alone.topic_ids == home.topic_ids


def test_devices_beyond_the_most_are_left_out_of_frames_and_list():
    home, changes = run(HOME, (0, frame(*MANY)), (1, frame(*MANY, at=1)), (2, listed(*MANY)))
    assert (len(home.devices), home.is_full) == (MAX_DEVICES + 2, True)  # with always_on and unknown
    assert len([device for device in introduced(changes) if device]) == MAX_DEVICES + 2


def test_virtual_devices_are_never_left_out():
    home, _ = run(HOME, (0, bare_frame(*MANY, ALWAYS_ON)))
    assert "always_on" in home.devices


def test_nobody_takes_the_topics_of_a_virtual_device():
    home, changes = run(HOME, (0, bare_frame({"id": "always.on", "name": "Fan", "w": 9.0}, ALWAYS_ON)))
    assert list(home.topic_ids) == ["always.on"]
    assert readings(changes, "power", "always_on") == ["250.0"]


def test_a_suffix_that_another_device_has_as_its_id_is_not_taken():
    _, later = TWINS
    suffixed = {**later, "id": unique_topic_id(later["id"], ["a_b"])}
    home, changes = run(HOME, (0, frame(suffixed, *TWINS)))
    assert len(power_topics(home, changes) - {"sense/7/power"}) == 5  # with always_on and unknown


@pytest.mark.parametrize(("length", "expected"), [(128, 1), (129, 0)])
def test_an_id_longer_than_any_of_senses_is_passed_over(length, expected):
    assert len(read_device_list([{"id": "a" * length}])) == expected


def test_rows_beyond_the_most_are_passed_over():
    assert len(read_device_list([{"id": str(number)} for number in range(MAX_DEVICE_ROWS + 1)])) == MAX_DEVICE_ROWS
