"""Everything on its way to the broker."""

import pytest
from builders import moment
from stage import Stage

from sense_mqtt.bridge.publisher import HEALTHY_S
from sense_mqtt.core.publishing.outbox import Message, Rank

STATE = Message("sense/bridge/state", "online", retain=True, rank=Rank.BRIDGE_STATE)


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    made.journal.close()


# --- events


def test_an_event_is_in_the_journal_before_it_is_published(stage):
    stage.record("e1")
    assert [entry.payload for entry in stage.journal.waiting(0, 10)] == ["e1"]
    assert stage.broker.published == []
    assert stage.journal.recall(7) == {"newest": 1}


def test_an_acknowledged_event_leaves_the_journal_with_the_next_tending(stage):
    stage.record("e1", "e2")
    stage.connect()
    stage.acknowledge(1)
    stage.publisher.tend(moment(1))
    assert [entry.payload for entry in stage.journal.waiting(0, 10)] == ["e2"]
    assert stage.publisher.lengths == {"retained": 0, "events": 0, "replies": 0, "in_flight": 1, "journal": 1}


def test_an_event_that_was_not_acknowledged_goes_again_after_a_drop_and_only_then(stage):
    stage.record("e1", "e2", "e3")
    stage.connect()
    stage.acknowledge(2)
    stage.pump(1)
    assert stage.broker.payloads == ["e1", "e2", "e3"]
    stage.drop(at=HEALTHY_S)
    stage.connect(at=HEALTHY_S + 2)
    assert stage.broker.payloads == ["e1", "e2", "e3", "e1", "e3"]


def test_events_beyond_what_the_queue_holds_drain_in_order_and_once_each(stage):
    names = [f"e{n}" for n in range(1, 351)]
    for name in names:
        stage.record(name)
        stage.pump()
    assert stage.publisher.lengths["events"] == 100
    stage.connect()
    stage.acknowledge_all()
    assert stage.broker.payloads == names
    stage.publisher.tend(moment(1))
    assert stage.journal.held == 0
    assert stage.publisher.idle


def test_events_drain_in_order_through_drops_and_new_ones(stage):
    for n in range(1, 131):
        stage.record(f"e{n:03}")
    stage.connect(window=3)
    stage.acknowledge(1)
    stage.drop(at=HEALTHY_S)
    for n in range(131, 151):
        stage.record(f"e{n:03}")
    before = len(stage.broker.published)
    stage.connect(at=HEALTHY_S + 2, window=3)
    for mid in range(before + 1, before + 1000):
        stage.acknowledge(mid)
        stage.pump(HEALTHY_S + 2)
    assert stage.broker.payloads[before:] == [f"e{n:03}" for n in range(2, 151)]


def test_what_was_not_delivered_is_published_by_the_next_process(stage):
    stage.record("e1", "e2")
    stage.connect()
    stage.acknowledge(1)
    stage.publisher.close()
    assert stage.broker.hung_up  # so that the will tells that we are gone
    stage.begin_anew()
    stage.connect()
    assert stage.broker.payloads == ["e1", "e2", "e2"]


def test_an_event_of_no_house_goes_the_same_way(stage):
    stage.publisher.announce(Message("sense/bridge/event", "e1"))
    assert stage.journal.held == 1
    stage.connect()
    assert stage.broker.published[0].topic == "sense/bridge/event"


def test_an_event_that_the_connection_does_not_take_is_not_lost(stage):
    stage.connect()
    stage.broker.carries = False
    stage.record("e1", "e2")
    stage.pump()
    assert stage.broker.published == []
    stage.broker.carries = True
    stage.pump()
    assert stage.broker.payloads == ["e1", "e2"]


def test_an_event_that_the_broker_refuses_waits_for_the_next_start_and_is_told_once(stage, caplog):
    stage.record("e1", "e2")
    stage.connect()
    stage.acknowledge(1, 2, refusal="Not authorized")
    stage.publisher.tend(moment(1))
    stage.pump(1)
    assert stage.broker.payloads == ["e1", "e2"]
    assert stage.journal.held == 2
    assert caplog.text.count("the broker refuses sense/7/device/a/event (Not authorized)") == 1


def test_an_acknowledgement_of_what_is_not_under_way_changes_nothing(stage):
    stage.record("e1")
    stage.connect()
    stage.acknowledge(77)
    stage.publisher.tend(moment(1))
    assert stage.journal.held == 1


# --- values and answers


def test_each_connection_hears_everything_retained_and_bridge_state_last(stage):
    stage.publisher.say([STATE, Message("a", "1", retain=True)])
    stage.connect()
    stage.acknowledge(1, 2)
    stage.drop(at=1)
    stage.publisher.say([Message("a", "2", retain=True)])
    stage.connect(at=5)
    assert stage.broker.payloads == ["1", "online", "2", "online"]


def test_everything_retained_can_be_said_again_on_request(stage):
    stage.publisher.say([Message("a", "1", retain=True)])
    stage.connect()
    stage.publisher.say_again()
    stage.pump()
    assert stage.broker.payloads == ["1", "1"]


def test_answers_beyond_the_bound_are_dropped_and_told(stage, caplog):
    for n in range(101):
        stage.publisher.reply(Message("r", str(n)))
    assert "one on r is dropped" in caplog.text
    stage.connect()
    stage.acknowledge_all()
    assert len(stage.broker.published) == 100


def test_what_is_larger_than_the_broker_takes_is_passed_over_and_the_rest_goes_on(stage, caplog):
    stage.record("x" * 500, "small")
    stage.publisher.say([Message("big", "x" * 500, retain=True), Message("ok", "1", retain=True)])
    stage.connect(packet_limit=200)
    assert stage.broker.payloads == ["1", "small"]
    assert "big: 535 bytes are more than the broker takes: not sent" in caplog.text
    stage.publisher.tend(moment(1))
    assert [entry.payload for entry in stage.journal.waiting(0, 10)] == ["small"]


def test_a_small_window_is_respected(stage):
    stage.record(*(f"e{n}" for n in range(10)))
    stage.connect(window=2)
    assert stage.broker.payloads == ["e0", "e1"]
