"""What belongs to one monitor: its home, what is kept of it, what Home Assistant is told."""

import pytest

from sense_mqtt.bridge.served import choose_monitors
from sense_mqtt.sense.auth.tokens import Account, Monitor
from tests.support.bridge.bridge_harness import HOUSE, BridgeHarness, raw_frame
from tests.support.core.builders import DRYER, KETTLE

OTHER = Monitor(8)


@pytest.mark.parametrize(
    ("monitors", "wanted", "named"),
    [
        pytest.param((HOUSE,), (), {HOUSE: "Sense"}, id="the only one"),
        pytest.param((HOUSE, OTHER), (), {HOUSE: "Sense 7", OTHER: "Sense 8"}, id="all of several"),
        pytest.param((HOUSE, OTHER), (8,), {OTHER: "Sense"}, id="one of several"),
        pytest.param((HOUSE,), (9,), {}, id="one that is not there"),
        pytest.param((), (), {}, id="none"),
    ],
)
def test_the_monitors_that_are_wanted_are_named(monitors, wanted, named):
    assert choose_monitors(Account(42, monitors), wanted) == named


@pytest.fixture
def bridge(bridge):
    bridge.show(DRYER, at=1)
    return bridge


def test_what_is_known_of_a_house_survives_a_restart(bridge):
    bridge.restart()
    bridge.begin()
    configs = {message.topic for message in bridge.published("/config")}
    assert configs == {
        f"homeassistant/device/sense_mqtt_{which}/config"
        for which in ("bridge_sense", "7", "7_1a2b3c4d", "7_always_on", "7_unknown")
    }


def test_a_house_gets_solar_with_the_first_frame_that_shows_some(bridge):
    before = len(bridge.published("sense_mqtt_7/config"))
    item = raw_frame(at=2)
    bridge.take(type(item)(7, item.raw.replace('"w": 300.0,', '"w": 300.0, "solar_w": 20.0,', 1)))
    assert len(bridge.published("sense_mqtt_7/config")) == before + 1
    assert "solar_power" in bridge.published("sense_mqtt_7/config")[-1].payload


STATUS = "app/monitors/7/status"


def firmware_of(bridge):
    return bridge.documents("sense_mqtt_7/config")[-1]["device"].get("sw_version")


def test_home_assistant_is_shown_the_firmware_of_the_monitor(bridge):
    bridge.session.responses[STATUS] = {"monitor_info": {"version": "1.64.2-release"}}
    bridge.pass_time(6 * 3600, 60.0)
    assert firmware_of(bridge) == "1.64.2-release"
    told = len(bridge.published("sense_mqtt_7/config"))
    bridge.session.responses[STATUS] = {"monitor_info": {}}
    bridge.pass_time(6 * 3600, 60.0)
    assert len(bridge.published("sense_mqtt_7/config")) == told
    bridge.restart()
    bridge.begin()
    assert firmware_of(bridge) == "1.64.2-release"


def test_a_device_that_is_gone_is_withdrawn_and_its_topics_are_cleared(bridge):
    bridge.session.responses["app/monitors/7/devices"] = [{"id": "other", "name": "Lamp"}, {"id": "o2", "name": "Fan"}]
    for at in range(2, 8):
        bridge.show(at=at)  # what draws exists, whatever the list says
    bridge.ask("refresh")
    bridge.work()
    bridge.pass_time(595, 5.0)
    assert bridge.newest("homeassistant/device/sense_mqtt_7_1a2b3c4d/config")  # a list may lack a device for a while
    bridge.pass_time(12)
    assert bridge.newest("homeassistant/device/sense_mqtt_7_1a2b3c4d/config") == ""
    assert bridge.newest("sense/7/device/1a2b3c4d/state") == "OFF"  # Home Assistant still listens
    bridge.pass_time(10)
    assert bridge.newest("homeassistant/sensor/sense_mqtt_7_1a2b3c4d/power/config") == ""
    assert bridge.newest("sense/7/device/1a2b3c4d/state") == ""
    assert "device_removed" in [event["event_type"] for event in bridge.documents("sense/7/event")]


def test_discovery_can_be_off(tmp_path):
    bridge = BridgeHarness(tmp_path, home_assistant={"discovery": "off"})
    bridge.begin()
    bridge.show(DRYER, at=1)
    assert [message for message in bridge.published("/config") if message.payload] == []


def test_ticks_do_not_record_and_frames_without_news_neither(bridge):
    for at in (2, 14, 75):  # the meters have their first figures
        bridge.show(DRYER, at=at)
    recorded = []
    bridge.journal.record = lambda *given: recorded.append(given)
    bridge.pass_time(5)
    bridge.show({**DRYER, "w": 5000.0}, at=81)
    assert recorded == []


def test_a_home_that_is_offline_is_not_looked_at_until_its_feed_brings_something(bridge):
    ticks = bridge.bridge.services.ticks
    bridge.pass_time(60)
    assert ticks.take(bridge.clock.now().monotonic + 86_400) == []
    bridge.show(DRYER, at=100)
    assert ticks.take(bridge.clock.now().monotonic + 86_400) == [7]


def test_the_state_of_an_edge_waits_for_no_disk_and_its_event_is_told_once_it_is_stored(bridge):
    state, event = "sense/7/device/99aabbcc/state", "sense/7/device/99aabbcc/event"
    bridge.show(DRYER, KETTLE, at=2)
    for second in (3, 4, 5, 6):
        bridge.show(DRYER, at=second)
    assert bridge.newest(state) == "OFF"
    told = len(bridge.published(event))
    bridge.journal.failures = 1
    bridge.show(DRYER, KETTLE, at=7)
    assert bridge.journal.failures == 0
    assert (bridge.newest(state), len(bridge.published(event))) == ("ON", told)
    bridge.show(DRYER, KETTLE, at=8)
    assert len(bridge.published(event)) == told + 1
    topics = [message.topic for message in bridge.broker.published]
    assert topics.index(state) < topics.index(event)
