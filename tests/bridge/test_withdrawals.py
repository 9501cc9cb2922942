"""What another configuration or another process left behind is taken back."""

import pytest

from sense_mqtt.core.publishing.message import PublishOrder
from sense_mqtt.errors import JournalError, LoginRefused, SenseUnavailable
from sense_mqtt.sense.auth.tokens import Account, Monitor
from tests.support.bridge.bridge_harness import HOUSE, BridgeHarness
from tests.support.core.builders import DRYER

OTHER = Monitor(8)
A, B = "sense/7/availability", "sense/8/availability"
DEVICE_TOPIC = "homeassistant/device/sense_mqtt_7_1a2b3c4d/config"
SINGLE_TOPIC = "homeassistant/sensor/sense_mqtt_7_1a2b3c4d/power/config"


def killed(folder, *monitors, **config):
    """Return a bridge that was killed while its houses were shown, and is to begin anew."""
    bridge = BridgeHarness(folder, *monitors, **config)
    bridge.begin()
    for monitor in monitors or (HOUSE,):
        bridge.show(DRYER, at=1, monitor=monitor.id)
    bridge.pass_time(5)
    return bridge


def begin(folder, *monitors, **config):
    """Begin another process over the same state, with another configuration."""
    bridge = BridgeHarness(folder, *monitors, **config)
    bridge.begin()
    bridge.pass_time(15)
    return bridge


def configs(bridge):
    """Return the newest payload of each discovery topic."""
    return {message.topic: message.payload for message in bridge.published("/config")}


# --- houses


def test_a_monitor_that_is_not_wanted_any_more_is_offline_and_leaves_home_assistant(tmp_path):
    killed(tmp_path, HOUSE, OTHER)
    bridge = begin(tmp_path, HOUSE, OTHER, sense={"monitors": [8]})
    assert bridge.newest(A) == "offline"
    left = {topic for topic, payload in configs(bridge).items() if not payload}
    assert left >= {
        f"homeassistant/device/sense_mqtt_7{which}/config" for which in ("", "_1a2b3c4d", "_always_on", "_unknown")
    }
    assert not any("sense_mqtt_8" in topic for topic in left)
    bridge = begin(tmp_path, HOUSE, OTHER, sense={"monitors": [8]})
    assert bridge.newest(A) is None  # said once: another bridge may serve it now
    assert "" not in configs(bridge).values()


def test_a_monitor_that_the_account_has_no_more_is_offline_and_leaves_home_assistant(tmp_path):
    killed(tmp_path, HOUSE, OTHER)
    bridge = begin(tmp_path, OTHER)
    assert bridge.newest(A) == "offline"
    assert configs(bridge)[DEVICE_TOPIC] == ""


def test_a_wanted_monitor_that_the_account_does_not_report_of_is_offline_and_stays_in_home_assistant(tmp_path):
    killed(tmp_path, HOUSE, OTHER, sense={"monitors": [7, 8]})
    bridge = begin(tmp_path, OTHER, sense={"monitors": [7, 8]})
    assert bridge.newest(A) == "offline"
    assert "" not in configs(bridge).values()


@pytest.mark.parametrize("answer", [LoginRefused("no"), SenseUnavailable("HTTP 502"), Account(42, ())], ids=str)
def test_where_sense_does_not_list_the_monitors_they_are_offline_at_once_and_stay_in_home_assistant(tmp_path, answer):
    killed(tmp_path)
    bridge = BridgeHarness(tmp_path)
    bridge.session.told = answer
    bridge.connect()
    assert bridge.newest(A) == "offline"
    bridge.work()
    bridge.pass_time(10)
    assert "" not in configs(bridge).values()
    bridge.drop()
    bridge.pass_time(3)
    before = len(bridge.broker.published)
    bridge.connect()
    assert A in [message.topic for message in bridge.broker.published[before:]]


def test_a_house_that_is_served_again_is_online_again(tmp_path):
    killed(tmp_path, HOUSE, OTHER)
    begin(tmp_path, HOUSE, OTHER, sense={"monitors": [8]})
    bridge = begin(tmp_path, HOUSE, OTHER)
    bridge.show(DRYER, at=2)
    assert bridge.newest(A) == "online"
    assert configs(bridge)[DEVICE_TOPIC]
    bridge = begin(tmp_path, OTHER)
    assert bridge.newest(A) == "offline"


def test_the_tree_of_another_base_topic_says_offline(tmp_path):
    killed(tmp_path)
    bridge = begin(tmp_path, mqtt={"base_topic": "home"})
    assert (bridge.newest(A), bridge.newest("sense/bridge/state")) == ("offline", "offline")
    assert bridge.newest("home/bridge/state") == "online"
    of_bridge = {topic: payload for topic, payload in configs(bridge).items() if "_bridge_" in topic}
    assert "" not in {payload for topic, payload in configs(bridge).items() if topic not in of_bridge}
    assert "sense/" not in configs(bridge)[DEVICE_TOPIC]
    assert [topic for topic, payload in of_bridge.items() if payload] == [
        "homeassistant/device/sense_mqtt_bridge_home/config"
    ]
    bridge = begin(tmp_path, mqtt={"base_topic": "home"})
    assert bridge.newest(A) is bridge.newest("sense/bridge/state") is None


# --- discovery


MODES = ("device", "single", "off")


@pytest.mark.parametrize("after", MODES)
@pytest.mark.parametrize("before", MODES)
def test_another_mode_leaves_nothing_of_the_one_before(tmp_path, before, after):
    killed(tmp_path, home_assistant={"discovery": before})
    bridge = begin(tmp_path, home_assistant={"discovery": after})
    told = configs(bridge)
    assert bool(told.get(DEVICE_TOPIC)) is (after == "device")
    assert bool(told.get(SINGLE_TOPIC)) is (after == "single")
    left = set() if before == after else {topic for topic, payload in told.items() if not payload}
    assert bool(left) is (before not in (after, "off"))
    assert set(bridge.publisher.announced.topics(PublishOrder.DISCOVERY)) == set(told) - left


def test_entities_that_move_are_unloaded_their_old_topics_emptied_and_only_then_reported_anew(tmp_path):
    killed(tmp_path)
    bridge = begin(tmp_path, home_assistant={"discovery": "single"})
    told = [(message.topic, message.payload[:25]) for message in bridge.published("/config")]
    dryer = [payload for topic, payload in told if topic == DEVICE_TOPIC]
    about = '{"device":{"identifiers":'  # without its triggers, and before it is emptied
    assert dryer == [about, '{"migrate_discovery":true', about, ""]
    emptied = max(number for number, (_, payload) in enumerate(told) if not payload)
    assert emptied < min(number for number, (topic, _) in enumerate(told) if "/device/" not in topic)


def test_what_moves_waits_for_the_broker(tmp_path):
    killed(tmp_path)
    bridge = BridgeHarness(tmp_path, home_assistant={"discovery": "single"})
    bridge.work()
    bridge.pass_time(20)
    bridge.begin()
    bridge.pass_time(10)
    dryer = [message.payload[:25] for message in bridge.published("1a2b3c4d/config")]
    about = '{"device":{"identifiers":'  # without its triggers, and before it is emptied
    assert dryer == [about, '{"migrate_discovery":true', about, ""]
    assert configs(bridge)[SINGLE_TOPIC]


def test_a_birth_of_home_assistant_tells_nothing_of_what_still_moves(tmp_path):
    killed(tmp_path)
    bridge = BridgeHarness(tmp_path, home_assistant={"discovery": "single"})
    bridge.begin()
    bridge.send("homeassistant/status", b"online")
    bridge.pass_time(20)
    told = [message.topic for message in bridge.published("/config")]
    assert told.index(SINGLE_TOPIC) > max(number for number, topic in enumerate(told) if topic == DEVICE_TOPIC)


def test_another_prefix_moves_everything_there(tmp_path):
    killed(tmp_path)
    bridge = begin(tmp_path, home_assistant={"prefix": "ha"})
    told = configs(bridge)
    assert told[DEVICE_TOPIC] == ""
    assert told["ha/device/sense_mqtt_7_1a2b3c4d/config"]


@pytest.mark.parametrize("seconds", [0, 1, 2, 3, 4])
def test_what_was_interrupted_is_done_by_the_next_process(tmp_path, seconds):
    killed(tmp_path)
    bridge = BridgeHarness(tmp_path, home_assistant={"discovery": "single"})
    bridge.connect()
    bridge.work()
    bridge.pass_time(seconds)
    bridge = begin(tmp_path, home_assistant={"discovery": "single"})
    assert set(bridge.publisher.announced.topics(PublishOrder.DISCOVERY)) == {
        t for t, p in configs(bridge).items() if p
    }
    assert SINGLE_TOPIC in configs(bridge)


def test_what_is_announced_is_written_down_before_it_goes_out(tmp_path):
    bridge = BridgeHarness(tmp_path)
    listed = []
    publish = bridge.broker.publish
    bridge.broker.publish = lambda message: (listed.append((message, bridge.journal.announced())), publish(message))[1]
    bridge.begin()
    for message, announced in listed:
        assert (
            not message.retain or message.order in (PublishOrder.VALUE, PublishOrder.INFO) or message.topic in announced
        )


def test_a_journal_that_takes_no_list_stops_nothing(tmp_path, caplog):
    def fail(_ranks):
        raise JournalError("the disk is gone")

    bridge = BridgeHarness(tmp_path)
    bridge.journal.announce = fail
    bridge.begin()
    bridge.show(DRYER, at=1)
    assert bridge.newest(A) == "online"
    assert caplog.text.count("what was announced would be forgotten") == 1


# --- a device that is gone


def remove_dryer(bridge):
    bridge.session.responses["app/monitors/7/devices"] = [{**DRYER, "tags": {"UserDeleted": "true"}}]
    for at in range(2, 8):
        bridge.show(at=at)
    bridge.ask("refresh")
    bridge.work()


def test_the_values_of_a_device_that_is_gone_are_cleared_by_the_next_process_too(tmp_path):
    remove_dryer(killed(tmp_path))
    bridge = begin(tmp_path)
    assert bridge.newest("sense/7/device/1a2b3c4d/power") == ""
    bridge = begin(tmp_path)
    assert bridge.newest("sense/7/device/1a2b3c4d/power") is None


def test_a_device_that_comes_back_at_once_keeps_its_new_values(tmp_path):
    bridge = killed(tmp_path)
    remove_dryer(bridge)
    bridge.session.responses["app/monitors/7/devices"] = [DRYER]
    bridge.ask("refresh")
    bridge.work()
    bridge.show(DRYER, at=8)
    bridge.pass_time(30)
    assert bridge.newest("sense/7/device/1a2b3c4d/state") == "ON"
    assert configs(bridge)[DEVICE_TOPIC]
    bridge = begin(tmp_path)
    assert bridge.newest("sense/7/device/1a2b3c4d/state") != ""
