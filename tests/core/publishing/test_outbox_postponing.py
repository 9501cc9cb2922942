"""What the broker could not take for the moment goes again after a while."""

import pytest

from sense_mqtt.core.publishing.outbox import Message, Outgoing
from sense_mqtt.core.publishing.postponed import AGAIN_S

EVENT = Message("e", "event", event=1, identity="event")
ANSWER = Message("r", "answer")


def value(payload):
    return Message("a", payload, retain=True)


@pytest.fixture
def outgoing():
    queue = Outgoing()
    queue.connected()
    return queue


def postpone(outgoing, *messages):
    going = [outgoing.next() for _ in messages]
    assert {message.payload for message in going} == {message.payload for message in messages}
    for mid, message in enumerate(messages, 1):
        outgoing.sent(mid, message, 0.0)
    for mid, message in enumerate(messages, 1):
        outgoing.acknowledged(mid)
        outgoing.postpone(message)


def test_it_goes_again_once_its_time_has_come_and_others_go_meanwhile(outgoing):
    outgoing.reply(ANSWER)
    outgoing.offer(EVENT)
    outgoing.say(value("1"))
    postpone(outgoing, EVENT, value("1"), ANSWER)
    outgoing.release_postponed(0.0)
    outgoing.release_postponed(AGAIN_S - 0.1)
    assert outgoing.next() is None
    assert not outgoing.idle
    outgoing.release_postponed(AGAIN_S)
    again = [outgoing.next() for _ in range(3)]
    assert again[0] == EVENT
    assert {message.payload for message in again} == {"event", "1", "answer"}
    assert outgoing.next() is None
    outgoing.release_postponed(10 * AGAIN_S)
    assert outgoing.next() is None


def test_of_a_value_the_newest_goes(outgoing):
    outgoing.say(value("1"))
    postpone(outgoing, value("1"))
    outgoing.say(value("2"))
    outgoing.release_postponed(0.0)
    outgoing.release_postponed(AGAIN_S)
    assert [outgoing.next(), outgoing.next()] == [value("2"), None]


def test_a_new_connection_hears_it_at_once(outgoing):
    outgoing.offer(EVENT)
    postpone(outgoing, EVENT)
    outgoing.dropped()
    outgoing.connected()
    assert outgoing.next() == EVENT


def test_the_last_word_on_a_topic_goes_again_too(outgoing):
    last = Message("a", "", retain=True, final=True)
    outgoing.say(last)
    postpone(outgoing, last)
    outgoing.release_postponed(0.0)
    outgoing.release_postponed(AGAIN_S)
    assert outgoing.next() == last


def test_what_was_forgotten_while_it_was_under_way_does_not_go_again(outgoing):
    outgoing.say(value("1"))
    outgoing.sent(1, outgoing.next(), 0.0)
    outgoing.forget("a")
    outgoing.dropped()
    outgoing.connected()
    assert outgoing.next() is None
