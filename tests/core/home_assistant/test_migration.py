"""How Home Assistant forgets what it was told on topics that no longer hold."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.home_assistant.discovery import (
    DeviceDescription,
    MonitorDescription,
    announce,
    announce_bridge,
    monitor_of,
)
from sense_mqtt.core.home_assistant.messages import DiscoveryOptions
from sense_mqtt.core.home_assistant.migration import DiscoveryTopic, Removal, read_discovery_topic, remove_obsolete
from sense_mqtt.core.publishing.topics import Topics

DEVICE = DiscoveryOptions("0.1.0", Topics())
SINGLE = replace(DEVICE, mode="single")
OFF = replace(DEVICE, mode="off")
ELSEWHERE = replace(DEVICE, topics=Topics(prefix="my/ha"))
OTHER_BASE = replace(DEVICE, topics=Topics(base="other"))
DRYER = DeviceDescription("1a2b3c4d", "Dryer")
MOVES = {"migrate_discovery": True}


def told(options, *devices, monitor=7):
    return announce(MonitorDescription(monitor), devices, options)


def topics(messages):
    return [config.topic for config in messages]


def remove(before, after, is_kept=lambda _node: False):
    return remove_obsolete(topics(before), after, is_kept, DEVICE)


def payloads(step):
    return {config.topic: config.payload for config in step}


@pytest.mark.parametrize("options", [DEVICE, SINGLE, OFF], ids=lambda options: options.mode)
def test_what_holds_stays(options):
    assert remove(told(options, DRYER), told(options, DRYER)) == Removal()


def test_another_base_topic_says_other_things_on_the_same_discovery_topics():
    assert remove(told(DEVICE, DRYER), told(OTHER_BASE, DRYER)) == Removal()


def test_entities_that_no_discovery_names_any_more_are_emptied_at_once():
    before = told(SINGLE, DRYER)
    assert remove(before, told(OFF, DRYER)) == Removal((tuple(replace(config, payload=None) for config in before),))


@pytest.mark.parametrize("options", [DEVICE, ELSEWHERE], ids=["our prefix", "another prefix"])
def test_devices_that_no_discovery_names_any_more_are_published_each_by_its_entities_before_these_are_emptied(options):
    before = told(options, DRYER)
    triggers, unload, hold, empty, single, last = remove(before, told(OFF, DRYER)).steps
    assert topics(triggers) == topics(unload) == topics(hold) == topics(empty) == topics(before)
    known = announce(MonitorDescription(7, solar=True), [DRYER], replace(options, mode="single"))
    assert set(topics(single)) == set(topics(known))
    assert payloads(last) == dict.fromkeys(topics(single))


@pytest.mark.parametrize("options", [DEVICE, SINGLE], ids=lambda options: options.mode)
def test_a_device_that_is_gone_is_removed_without_its_monitor(options):
    removal = remove(told(options, DRYER), told(options))
    assert {read_discovery_topic(config.topic).node for step in removal.steps for config in step} == {
        "sense_mqtt_7_1a2b3c4d"
    }


def test_a_bridge_that_has_another_base_topic_now_is_removed_by_its_entities():
    before = announce_bridge(OTHER_BASE)
    *_, single, last = remove(before, ()).steps
    assert {read_discovery_topic(config.topic).node for config in single} == {"sense_mqtt_bridge_other"}
    assert {read_discovery_topic(config.topic).key for config in single} >= {"login", "restart"}
    assert payloads(last) == dict.fromkeys(topics(single))


def test_entities_that_move_into_a_device_topic_are_unloaded_before_their_topics_are_emptied():
    before = told(SINGLE, DRYER)
    unload, empty = remove(before, told(DEVICE, DRYER)).steps
    entities = [topic for topic in topics(before) if "/device_automation/" not in topic]
    assert payloads(unload) == dict.fromkeys(entities, MOVES)
    assert payloads(empty) == dict.fromkeys(topics(before))


@pytest.mark.parametrize("after", [SINGLE, ELSEWHERE], ids=["single", "another prefix"])
def test_a_device_topic_that_moves_holds_a_trigger_before_it_is_emptied(after):
    before = told(DEVICE, DRYER)
    removal = remove(before, told(after, DRYER))
    triggers, unload, hold, empty = removal.steps
    for config in triggers:  # by name: Home Assistant would keep what `migrate_discovery` unloads of them
        assert {"platform": "device_automation"} in config.payload["components"].values()
    assert payloads(unload) == dict.fromkeys(topics(before), MOVES)
    assert topics(hold) == topics(before)
    for config in hold:
        assert config.payload["device"]["identifiers"] == [read_discovery_topic(config.topic).node]
        assert [one["platform"] for one in config.payload["components"].values()] == ["device_automation"]
    assert payloads(empty) == dict.fromkeys(topics(before))
    assert removal.moving == {"sense_mqtt_7", "sense_mqtt_7_1a2b3c4d"}


def test_an_entity_that_is_reported_nowhere_any_more_is_not_kept_by_those_that_move():
    with_solar = announce(MonitorDescription(7, solar=True), (), SINGLE)
    unload, empty = remove(with_solar, told(DEVICE)).steps
    assert "homeassistant/sensor/sense_mqtt_7/solar_power/config" not in topics(unload)
    assert topics(empty) == topics(with_solar)


def test_what_belongs_to_a_monitor_that_may_come_back_is_kept():
    before = (*told(DEVICE, DRYER, monitor=7), *told(DEVICE, DRYER, monitor=8))
    steps = remove(before, (), lambda node: monitor_of(node) == 7).steps
    assert {monitor_of(read_discovery_topic(config.topic).node) for step in steps for config in step} == {8}


@pytest.mark.parametrize(
    ("topic", "place"),
    [
        ("homeassistant/device/sense_mqtt_7/config", DiscoveryTopic("sense_mqtt_7", None)),
        ("my/ha/device/sense_mqtt_7/config", DiscoveryTopic("sense_mqtt_7", None)),
        ("homeassistant/sensor/sense_mqtt_7/power/config", DiscoveryTopic("sense_mqtt_7", "power")),
        ("sense/7/power", None),
    ],
)
def test_a_discovery_topic_reports_of_whom_it_is(topic, place):
    assert read_discovery_topic(topic) == place


def test_topics_that_nobody_knows_how_to_read_are_left_alone():
    assert remove_obsolete(["sense/7/power"], (), lambda _node: False, DEVICE) == Removal()
