"""What waits for the broker, and what goes out when."""

import pytest

from sense_mqtt.core.publishing.event_queue import MAX_EVENTS
from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.core.publishing.outbox import MAX_RESPONSES, RECEIVE_MAXIMUM, Outbox
from tests.support.core.outbox import answer, event, take, value


def test_nothing_goes_out_without_a_connection():
    outbox = Outbox()
    outbox.enqueue_retained(value("a"))
    outbox.enqueue_event(event(1))
    outbox.enqueue_response(answer("x"))
    assert outbox.next() is None
    assert outbox.lengths == {"retained": 1, "events": 1, "replies": 1, "in_flight": 0}


def test_a_new_connection_hears_what_is_retained_by_rank_then_answers_then_events():
    outbox = Outbox()
    outbox.enqueue_retained(value("state", "online", PublishOrder.BRIDGE_STATE))
    outbox.enqueue_retained(value("v1", "v1"))
    outbox.enqueue_retained(value("config", "config", PublishOrder.DISCOVERY))
    outbox.enqueue_retained(value("availability", "availability", PublishOrder.AVAILABILITY))
    outbox.enqueue_retained(value("v2", "v2"))
    outbox.enqueue_retained(value("info", "info", PublishOrder.INFO))
    outbox.enqueue_event(event(1))
    outbox.enqueue_response(answer("answer"))
    outbox.connected()
    assert take(outbox) == [
        "config",
        "info",
        "availability",
        "v1",
        "v2",
        "online",
        "event 1",
        "answer",
    ]


def test_a_topic_holds_only_its_newest_value():
    outbox = Outbox()
    for n in range(1000):
        outbox.enqueue_retained(value("a", str(n)))
        outbox.enqueue_retained(value("b", str(n)))
    outbox.connected()
    assert take(outbox) == ["999", "999"]


def test_events_go_before_values_once_all_was_introduced(outbox):
    outbox.enqueue_retained(value("a", "value"))
    outbox.enqueue_event(event(1))
    outbox.enqueue_response(answer("answer"))
    assert take(outbox) == ["event 1", "answer", "value"]


def test_answers_and_values_take_turns_so_that_neither_starves():
    outbox = Outbox()
    outbox.connected()
    for number in range(4):
        outbox.enqueue_response(answer(f"a{number}"))
    for number in range(3):
        outbox.enqueue_retained(value(f"v{number}", f"v{number}"))
    assert take(outbox) == ["a0", "v0", "a1", "v1", "a2", "v2", "a3"]


def test_answers_leave_room_for_what_happens_while_no_acknowledgement_comes(outbox):
    for number in range(100):
        outbox.enqueue_response(answer(f"answer {number}"))
    assert len(take(outbox)) == RECEIVE_MAXIMUM // 4  # a flood of requests delays acknowledgements too
    outbox.enqueue_event(event(1))
    outbox.enqueue_retained(value("a", "a"))
    assert take(outbox) == ["event 1", "a"]


def test_values_leave_room_for_events_while_no_acknowledgement_comes(outbox):
    for number in range(100):
        outbox.enqueue_retained(value(f"topic {number}"))
    assert len(take(outbox)) == RECEIVE_MAXIMUM - RECEIVE_MAXIMUM // 4
    for number in range(100):
        outbox.enqueue_event(event(number))
    assert take(outbox) == [f"event {number}" for number in range(RECEIVE_MAXIMUM // 4)]


@pytest.mark.parametrize("message", [answer("a"), value("a", "a")])
@pytest.mark.parametrize("receive_maximum", [1, 2, 3])
def test_a_small_window_lets_answers_and_values_out_too(receive_maximum, message):
    outbox = Outbox()
    (outbox.enqueue_retained if message.retain else outbox.enqueue_response)(message)
    outbox.connected(receive_maximum)
    assert take(outbox) == ["a"]


def test_room_for_responses_is_bounded(outbox):
    assert outbox.room_for_responses == MAX_RESPONSES
    outbox.enqueue_response(answer("a"))
    assert outbox.room_for_responses == MAX_RESPONSES - 1


def test_what_home_assistant_must_know_goes_before_the_first_event_of_it(outbox):
    outbox.enqueue_event(event(1))
    outbox.enqueue_retained(value("a", "value"))
    outbox.enqueue_retained(value("config", "config", PublishOrder.DISCOVERY))
    assert take(outbox) == ["value", "config", "event 1"]


@pytest.mark.parametrize("receive_maximum", [1, 3, RECEIVE_MAXIMUM])
def test_no_more_are_unacknowledged_than_the_window_takes(receive_maximum):
    outbox = Outbox()
    outbox.connected(receive_maximum)
    for n in range(1, 31):
        outbox.enqueue_event(event(n))
    assert len(take(outbox)) == receive_maximum
    assert outbox.acknowledged(1) == event(1)
    assert take(outbox) == [f"event {receive_maximum + 1}"]


def test_every_event_goes_through_a_small_window_in_order():
    outbox = Outbox()
    outbox.connected(2)
    for n in range(1, 51):
        outbox.enqueue_event(event(n))
    went, oldest = [], 1
    while not outbox.idle:
        went += take(outbox)
        outbox.acknowledged(oldest)
        oldest += 1
    assert went == [f"event {n}" for n in range(1, 51)]


def test_what_was_not_acknowledged_goes_again_in_its_old_order(outbox):
    for n in range(1, 6):
        outbox.enqueue_event(event(n))
    outbox.enqueue_response(answer("a1"))
    outbox.enqueue_response(answer("a2"))
    assert take(outbox, most=6) == ["event 1", "event 2", "event 3", "event 4", "event 5", "a1"]
    outbox.acknowledged(6)  # a1
    outbox.acknowledged(2)  # event 2
    outbox.disconnected()
    assert outbox.next() is None
    outbox.connected()
    assert take(outbox) == ["event 1", "event 3", "event 4", "event 5", "a2"]


def test_a_value_that_was_under_way_goes_again_as_its_newest(outbox):
    outbox.enqueue_retained(value("a", "old"))
    assert take(outbox) == ["old"]
    outbox.enqueue_retained(value("a", "new"))
    outbox.disconnected()
    outbox.connected()
    assert take(outbox) == ["new"]


def test_saying_again_repeats_what_is_retained_and_nothing_else(outbox):
    outbox.enqueue_retained(value("a", "1"))
    outbox.enqueue_event(event(1))
    assert take(outbox) == ["event 1", "1"]
    outbox.republish_all()
    assert take(outbox) == ["1"]


def test_what_did_not_go_out_is_taken_back_to_the_front(outbox):
    outbox.enqueue_retained(value("a", "1"))
    for n in (1, 2):
        outbox.enqueue_event(event(n))
        outbox.enqueue_response(answer(f"a{n}"))
    for expected in ("event 1", "event 1"):
        message = outbox.next()
        assert message.payload == expected
        outbox.requeue(message)
    assert take(outbox, most=2) == ["event 1", "event 2"]
    outbox.requeue(outbox.next())  # an answer
    assert sorted(take(outbox)) == ["1", "a1", "a2"]


def test_a_number_that_is_not_known_acknowledges_nothing(outbox):
    outbox.enqueue_event(event(1))
    take(outbox)
    assert outbox.acknowledged(99) is None
    outbox.disconnected()
    assert outbox.acknowledged(1) is None  # of the connection before


def test_room_for_events_is_bounded(outbox):
    assert outbox.room_for_events == MAX_EVENTS == 100
    for n in range(MAX_EVENTS):
        outbox.enqueue_event(event(n))
    assert outbox.room_for_events == 0


def test_answers_that_nobody_takes_are_refused_beyond_a_bound():
    outbox = Outbox()
    assert [outbox.enqueue_response(answer(str(n))) for n in range(MAX_RESPONSES + 1)] == [True] * MAX_RESPONSES + [
        False
    ]


def test_the_age_of_the_oldest_unacknowledged_message(outbox):
    assert outbox.oldest_inflight_s(100.0) == 0.0
    outbox.enqueue_event(event(1))
    outbox.enqueue_event(event(2))
    take(outbox)
    assert outbox.oldest_inflight_s(100.0) == 99.0
    outbox.acknowledged(1)
    assert outbox.oldest_inflight_s(100.0) == 98.0


def test_idle_means_that_nothing_waits_and_nothing_is_under_way(outbox):
    assert outbox.idle
    outbox.enqueue_retained(value("a"))
    assert not outbox.idle
    take(outbox)
    assert not outbox.idle
    outbox.acknowledged(1)
    assert outbox.idle


def test_the_size_of_a_message_counts_bytes_not_letters():
    assert Message("a/b", "Küche", correlation=b"12").size == 3 + 6 + 2 + 32


def test_one_topic_can_be_published_again_where_something_is_retained_on_it(outbox):
    outbox.enqueue_retained(value("a", "kept"))
    take(outbox)
    outbox.republish("a")
    outbox.republish("never published")
    assert take(outbox) == ["kept"]


def test_a_receive_maximum_that_is_widened_lets_out_more(outbox):
    for number in range(1, 4):
        outbox.enqueue_event(event(number))
    outbox.set_receive_maximum(1)
    assert take(outbox) == ["event 1"]
    outbox.set_receive_maximum(3)
    assert take(outbox) == ["event 2", "event 3"]


def test_what_is_forgotten_is_not_published_again(outbox):
    outbox.enqueue_retained(value("a", "kept"))
    assert (outbox.value("a"), outbox.is_unacknowledged("a")) == ("kept", True)
    outbox.forget("a")
    outbox.republish_all()
    assert (outbox.value("a"), outbox.is_unacknowledged("a"), take(outbox)) == (None, False, [])
