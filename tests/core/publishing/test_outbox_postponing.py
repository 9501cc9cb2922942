"""What the broker could not take for the moment goes again after a while."""

import pytest

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.outbox import Outbox
from sense_mqtt.core.publishing.postponed import AGAIN_S

EVENT = Message("e", "event", event=1, event_id="event")
ANSWER = Message("r", "answer")


def value(payload):
    return Message("a", payload, retain=True)


@pytest.fixture
def outbox():
    queue = Outbox()
    queue.connected()
    return queue


def postpone(outbox, *messages):
    going = [outbox.next() for _ in messages]
    assert {message.payload for message in going} == {message.payload for message in messages}
    for mid, message in enumerate(messages, 1):
        outbox.sent(mid, message, 0.0)
    for mid, message in enumerate(messages, 1):
        outbox.acknowledged(mid)
        outbox.postpone(message)


def test_it_goes_again_once_its_time_has_come_and_others_go_meanwhile(outbox):
    outbox.enqueue_response(ANSWER)
    outbox.enqueue_event(EVENT)
    outbox.enqueue_retained(value("1"))
    postpone(outbox, EVENT, value("1"), ANSWER)
    outbox.release_postponed(0.0)
    outbox.release_postponed(AGAIN_S - 0.1)
    assert outbox.next() is None
    assert not outbox.idle
    outbox.release_postponed(AGAIN_S)
    again = [outbox.next() for _ in range(3)]
    assert again[0] == EVENT
    assert {message.payload for message in again} == {"event", "1", "answer"}
    assert outbox.next() is None
    outbox.release_postponed(10 * AGAIN_S)
    assert outbox.next() is None


def test_of_a_value_the_newest_goes(outbox):
    outbox.enqueue_retained(value("1"))
    postpone(outbox, value("1"))
    outbox.enqueue_retained(value("2"))
    outbox.release_postponed(0.0)
    outbox.release_postponed(AGAIN_S)
    assert [outbox.next(), outbox.next()] == [value("2"), None]


def test_a_new_connection_hears_it_at_once(outbox):
    outbox.enqueue_event(EVENT)
    postpone(outbox, EVENT)
    outbox.disconnected()
    outbox.connected()
    assert outbox.next() == EVENT


def test_the_last_word_on_a_topic_goes_again_too(outbox):
    last = Message("a", "", retain=True, final=True)
    outbox.enqueue_retained(last)
    postpone(outbox, last)
    outbox.release_postponed(0.0)
    outbox.release_postponed(AGAIN_S)
    assert outbox.next() == last


def test_what_was_forgotten_while_it_was_under_way_does_not_go_again(outbox):
    outbox.enqueue_retained(value("1"))
    outbox.sent(1, outbox.next(), 0.0)
    outbox.forget("a")
    outbox.disconnected()
    outbox.connected()
    assert outbox.next() is None
