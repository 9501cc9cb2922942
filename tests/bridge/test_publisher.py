"""Everything on its way to the broker."""

import pytest

from sense_mqtt.bridge.publisher import HEALTHY_S
from sense_mqtt.core.publishing.message import Message, PublishOrder
from tests.support.core.builders import moment
from tests.support.publisher.publisher_harness import PublisherHarness

STATE = Message("sense/bridge/state", "online", retain=True, order=PublishOrder.BRIDGE_STATE)


@pytest.fixture
def harness(tmp_path):
    made = PublisherHarness(tmp_path)
    yield made
    made.journal.close()


# --- events


def test_an_event_is_in_the_journal_before_it_is_published(harness):
    harness.record("e1")
    assert [entry.payload for entry in harness.journal.waiting(0, 10)] == ["e1"]
    assert harness.broker.published == []
    assert harness.journal.recall(7) == {("home", ""): {"newest": 1}}


def test_an_acknowledged_event_leaves_the_journal_with_the_next_tending(harness):
    harness.record("e1", "e2")
    harness.connect()
    harness.acknowledge(1)
    harness.publisher.maintain(moment(1))
    assert [entry.payload for entry in harness.journal.waiting(0, 10)] == ["e2"]
    assert harness.publisher.lengths == {"retained": 0, "events": 0, "replies": 0, "in_flight": 1, "journal": 1}


def test_an_event_that_was_not_acknowledged_goes_again_after_a_drop_and_only_then(harness):
    harness.record("e1", "e2", "e3")
    harness.connect()
    harness.acknowledge(2)
    harness.flush(1)
    assert harness.broker.payloads == ["e1", "e2", "e3"]
    harness.drop(at=HEALTHY_S)
    harness.connect(at=HEALTHY_S + 2)
    assert harness.broker.payloads == ["e1", "e2", "e3", "e1", "e3"]


def test_events_beyond_what_the_queue_holds_drain_in_order_and_once_each(harness):
    names = [f"e{n}" for n in range(1, 351)]
    for name in names:
        harness.record(name)
        harness.flush()
    assert harness.publisher.lengths["events"] == 100
    harness.connect()
    harness.acknowledge_all()
    assert harness.broker.payloads == names
    harness.publisher.maintain(moment(1))
    assert harness.journal.held == 0
    assert harness.publisher.idle


def test_events_drain_in_order_through_drops_and_new_ones(harness):
    for n in range(1, 131):
        harness.record(f"e{n:03}")
    harness.connect(receive_maximum=3)
    harness.acknowledge(1)
    harness.drop(at=HEALTHY_S)
    for n in range(131, 151):
        harness.record(f"e{n:03}")
    before = len(harness.broker.published)
    harness.connect(at=HEALTHY_S + 2, receive_maximum=3)
    for mid in range(before + 1, before + 1000):
        harness.acknowledge(mid)
        harness.flush(HEALTHY_S + 2)
    assert harness.broker.payloads[before:] == [f"e{n:03}" for n in range(2, 151)]


def test_what_was_not_delivered_is_published_by_the_next_process(harness):
    harness.record("e1", "e2")
    harness.connect()
    harness.acknowledge(1)
    harness.publisher.close()
    assert harness.broker.hung_up  # so that the will tells that we are gone
    harness.restart()
    harness.connect()
    assert harness.broker.payloads == ["e1", "e2", "e2"]


def test_an_event_of_no_house_goes_the_same_way(harness):
    harness.publisher.announce(Message("sense/bridge/event", "e1"))
    assert harness.journal.held == 1
    harness.connect()
    assert harness.broker.published[0].topic == "sense/bridge/event"


def test_an_event_that_the_connection_does_not_take_is_not_lost(harness):
    harness.connect()
    harness.broker.carries = False
    harness.record("e1", "e2")
    harness.flush()
    assert harness.broker.published == []
    harness.broker.carries = True
    harness.flush()
    assert harness.broker.payloads == ["e1", "e2"]


def test_an_event_that_the_broker_refuses_waits_for_the_next_start_and_is_reported_once(harness, caplog):
    harness.record("e1", "e2")
    harness.connect()
    harness.acknowledge(1, 2, refusal="Not authorized")
    harness.publisher.maintain(moment(1))
    harness.flush(1)
    assert harness.broker.payloads == ["e1", "e2"]
    assert harness.journal.held == 2
    assert caplog.text.count("the broker refuses sense/7/device/a/event (Not authorized)") == 1


def test_an_acknowledgement_of_what_is_not_under_way_changes_nothing(harness):
    harness.record("e1")
    harness.connect()
    harness.acknowledge(77)
    harness.publisher.maintain(moment(1))
    assert harness.journal.held == 1


# --- values and answers


def test_each_connection_hears_everything_retained_and_bridge_state_last(harness):
    harness.publisher.enqueue_retained([STATE, Message("a", "1", retain=True)])
    harness.connect()
    harness.acknowledge(1, 2)
    harness.drop(at=1)
    harness.publisher.enqueue_retained([Message("a", "2", retain=True)])
    harness.connect(at=5)
    assert harness.broker.payloads == ["1", "online", "2", "online"]


def test_everything_retained_can_be_said_again_on_request(harness):
    harness.publisher.enqueue_retained([Message("a", "1", retain=True)])
    harness.connect()
    harness.publisher.republish_all()
    harness.flush()
    assert harness.broker.payloads == ["1", "1"]


def test_answers_beyond_the_bound_are_dropped_and_reported(harness, caplog):
    for n in range(101):
        harness.publisher.enqueue_response(Message("r", str(n)))
    assert "response on r dropped" in caplog.text
    harness.connect()
    harness.acknowledge_all()
    assert len(harness.broker.published) == 100


def test_what_is_larger_than_the_broker_takes_is_passed_over_and_the_rest_goes_on(harness, caplog):
    harness.record("x" * 500, "small")
    harness.publisher.enqueue_retained([Message("big", "x" * 500, retain=True), Message("ok", "1", retain=True)])
    harness.connect(maximum_packet_size=200)
    assert harness.broker.payloads == ["1", "small"]
    assert "big: 535 bytes are more than the broker takes: not sent" in caplog.text
    harness.publisher.maintain(moment(1))
    assert [entry.payload for entry in harness.journal.waiting(0, 10)] == ["small"]


def test_a_small_window_is_respected(harness):
    harness.record(*(f"e{n}" for n in range(10)))
    harness.connect(receive_maximum=2)
    assert harness.broker.payloads == ["e0", "e1"]
