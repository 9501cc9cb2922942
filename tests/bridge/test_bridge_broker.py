"""The broker's side of the whole bridge: what a connection hears, and in which order."""

from itertools import pairwise

import pytest

from sense_mqtt.core.publishing.message import PublishOrder
from sense_mqtt.errors import JournalError, LoginRefused, SenseUnavailable
from sense_mqtt.items import Acknowledged, BrokerConnected, FeedChanged
from tests.support.bridge.bridge_harness import BridgeHarness
from tests.support.core.builders import DRYER


def order(messages):
    return [message.order for message in messages if message.retain]


def begun(folder):
    bridge = BridgeHarness(folder)
    bridge.begin()
    bridge.show(DRYER, at=1)
    return bridge


def test_a_first_connection_hears_bridge_state_once_the_homes_were_introduced(tmp_path):
    bridge = BridgeHarness(tmp_path)
    bridge.connect()
    assert [message.topic for message in bridge.broker.published] == [
        "homeassistant/device/sense_mqtt_bridge_sense/config",
        "sense/bridge/info",
        "sense/bridge/health",
    ]
    bridge.work()
    topics = [message.topic for message in bridge.broker.published]
    state = topics.index("sense/bridge/state")
    assert {"homeassistant/device/sense_mqtt_7/config", "sense/7/availability"} <= set(topics[:state])
    assert bridge.newest("sense/7/availability") == "offline"  # no frame has come yet


@pytest.mark.parametrize("answer", [None, SenseUnavailable("HTTP 502"), LoginRefused("no")], ids=str)
def test_a_bridge_is_online_also_where_sense_does_not_list_the_monitors(tmp_path, answer):
    bridge = BridgeHarness(tmp_path)
    bridge.connect()
    if answer is None:  # nor anything else
        for _ in range(6):
            bridge.clock.after_s += 1.0
            bridge.take(None)
    else:
        bridge.session.told = answer
        bridge.work()
    assert bridge.newest("sense/bridge/state") == "online"


def test_each_connection_hears_discovery_info_availability_values_and_last_bridge_state(tmp_path):
    bridge = begun(tmp_path)
    topics = {message.topic for message in bridge.broker.published if message.retain}
    bridge.drop()
    bridge.pass_time(3)
    before = len(bridge.broker.published)
    bridge.connect()
    again = bridge.broker.published[before:]
    assert {message.topic for message in again} == topics
    assert order(again) == sorted(order(again))
    assert {*order(again)} == set(PublishOrder)
    assert again[-1].payload == "online"


def test_what_happens_while_the_broker_is_away_comes_after_what_is_retained(tmp_path):
    bridge = begun(tmp_path)
    bridge.drop()
    for at in range(2, 8):
        bridge.show(at=at)
    before = len(bridge.broker.published)
    bridge.connect()
    topics = [message.topic for message in bridge.broker.published[before:]]
    assert topics.index("sense/bridge/state") < topics.index("sense/7/device/1a2b3c4d/event")
    assert bridge.newest("sense/7/device/1a2b3c4d/state") == "OFF"


def test_a_value_that_changed_while_the_broker_was_away_is_said_once_and_as_it_is_now(tmp_path):
    bridge = begun(tmp_path)
    bridge.drop()
    for at in range(2, 200, 20):
        bridge.show({**DRYER, "w": 5000.0 + at}, at=at)
    before = len(bridge.broker.published)
    bridge.connect()
    said = [m.payload for m in bridge.broker.published[before:] if m.topic == "sense/7/device/1a2b3c4d/power"]
    assert said == ["5182.0"]


def test_items_of_an_older_connection_are_ignored(tmp_path):
    bridge = begun(tmp_path)
    bridge.broker.slow = True
    bridge.show(at=2)
    bridge.show(at=5)
    mid = len(bridge.broker.published)
    old = bridge.broker.connection_id
    bridge.drop()
    bridge.pass_time(3)
    bridge.take(Acknowledged(old, mid), BrokerConnected(old, 20))
    assert bridge.journal.held == 2  # the event, and its copy for the house
    bridge.broker.slow = False
    bridge.connect()
    bridge.pass_time(2)
    assert bridge.journal.held == 0


def test_our_own_event_that_comes_back_after_a_cut_does_not_go_again(tmp_path):
    bridge = begun(tmp_path)
    bridge.broker.slow = True
    bridge.show(at=2)
    bridge.show(at=5)
    [event] = bridge.published("1a2b3c4d/event")
    bridge.drop()
    bridge.pass_time(3)
    bridge.broker.slow = False
    bridge.connect(resumed=True)
    bridge.send(event.topic, event.payload.encode())
    bridge.pass_time(3)
    assert bridge.published("1a2b3c4d/event") == [event]
    assert bridge.journal.held == 0


def test_without_an_echo_the_event_goes_again(tmp_path):
    bridge = begun(tmp_path)
    bridge.broker.slow = True
    bridge.show(at=2)
    bridge.show(at=5)
    bridge.drop()
    bridge.pass_time(3)
    bridge.broker.slow = False
    bridge.connect(resumed=True)
    assert len(bridge.published("1a2b3c4d/event")) == 1
    bridge.pass_time(2)
    [first, second] = bridge.documents("1a2b3c4d/event")
    assert first == second


def test_a_journal_that_cannot_be_read_stops_no_readings(tmp_path, caplog):
    bridge = begun(tmp_path)
    waiting, bridge.journal.waiting = bridge.journal.waiting, lambda *_: (_ for _ in ()).throw(JournalError("no disk"))
    bridge.show(at=2)
    bridge.show(at=20)
    assert bridge.newest("sense/7/device/1a2b3c4d/state") == "OFF"
    assert caplog.text.count("the journal cannot be read, events wait: no disk") == 1
    bridge.journal.waiting = waiting
    bridge.show(at=21)
    assert [event_type for event_type, *_ in bridge.events()] == ["turned_off"]


def test_steps_of_the_feed_are_events_of_the_bridge(tmp_path):
    bridge = begun(tmp_path)
    steps = [("poll", "refused"), ("paused", "for 600 s"), ("poll", "the pause is over"), ("stream", "cooled down")]
    bridge.take(*(FeedChanged(7, transport, reason) for transport, reason in steps))
    assert bridge.bridge_events() == ["feed_changed", "paused", "resumed", "feed_changed"]
    assert [event["feed"] for event in bridge.documents("bridge/event")] == ["poll", "paused", "poll", "stream"]
    assert bridge.documents("bridge/info")[-1]["feed"] == "stream"


def wait_hours(bridge):
    """Let hours go by without a broker, and a last attempt at one begin."""
    bridge.clock.after_s = 3 * 3600.0
    bridge.take(None)
    bridge.clock.after_s += 70.0


def test_an_event_that_waited_for_the_broker_for_hours_is_late(tmp_path):
    bridge = begun(tmp_path)
    bridge.drop()
    bridge.show(at=2)
    bridge.show(at=5)
    wait_hours(bridge)
    bridge.connect()
    bridge.pass_time(2)
    [event] = bridge.documents("1a2b3c4d/event")
    assert event["late"] is True


def test_an_event_that_comes_back_is_known_although_it_went_out_late(tmp_path):
    bridge = begun(tmp_path)
    bridge.drop()
    bridge.show(at=2)
    bridge.show(at=5)
    wait_hours(bridge)
    bridge.broker.slow = True
    bridge.connect(receive_maximum=100)
    [event] = bridge.published("1a2b3c4d/event")
    bridge.drop()
    bridge.pass_time(3)
    bridge.broker.slow = False
    bridge.connect(resumed=True)
    bridge.send(event.topic, event.payload.encode())
    bridge.pass_time(3)
    assert bridge.published("1a2b3c4d/event") == [event]


def test_a_broker_that_is_away_is_tried_every_five_seconds_at_the_latest(tmp_path):
    bridge = begun(tmp_path)
    attempts = []
    bridge.drop()
    while bridge.clock.after_s < 300:
        opened = bridge.broker.opened
        bridge.pass_time(0.25, 0.25)
        if bridge.broker.opened > opened:
            attempts.append(bridge.clock.after_s)
            bridge.drop()
    gaps = [later - earlier for earlier, later in pairwise(attempts)]
    assert max(gaps) <= 5
    assert len(gaps) > 50


def test_home_assistants_birth_is_answered_with_everything_also_where_nothing_is_retained(tmp_path):
    bridge = BridgeHarness(tmp_path)
    bridge.connect(retain_available=False)
    bridge.work()
    before = len(bridge.broker.published)
    bridge.send("homeassistant/status", b"online")
    bridge.pass_time(4)
    topics = {message.topic for message in bridge.broker.published[before:]}
    assert {"homeassistant/device/sense_mqtt_7/config", "sense/7/availability", "sense/bridge/state"} <= topics
