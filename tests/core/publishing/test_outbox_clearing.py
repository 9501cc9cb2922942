"""Retained topics that are cleared: an empty payload has to reach the broker, and is then forgotten."""

import pytest

from sense_mqtt.core.publishing.outbox import Message, Outgoing


def value(payload):
    return Message("a", payload, retain=True, final=not payload)


def take(outgoing, mid=1):
    """Let out what may go, numbered from `mid`; return the payloads."""
    payloads = []
    while (message := outgoing.next()) is not None:
        outgoing.sent(mid + len(payloads), message, now=0.0)
        payloads.append(message.payload)
    return payloads


@pytest.fixture
def outgoing():
    queue = Outgoing()
    queue.connected()
    return queue


def test_a_cleared_topic_is_forgotten_once_the_broker_has_it(outgoing):
    outgoing.say(value("1"))
    outgoing.say(value(""))
    assert take(outgoing) == [""]
    outgoing.acknowledged(1)
    outgoing.dropped()
    outgoing.connected()
    assert take(outgoing) == []


def test_a_clearing_that_was_lost_with_the_connection_goes_again(outgoing):
    outgoing.say(value(""))
    assert take(outgoing) == [""]
    outgoing.dropped()
    outgoing.connected()
    assert take(outgoing) == [""]


def test_a_topic_cleared_while_the_broker_is_away_is_cleared_when_it_comes(outgoing):
    outgoing.say(value("1"))
    take(outgoing)
    outgoing.dropped()
    outgoing.say(value(""))
    outgoing.connected()
    assert take(outgoing) == [""]


def test_a_topic_that_is_said_anew_while_its_clearing_is_under_way_stays(outgoing):
    outgoing.say(value(""))
    take(outgoing)
    outgoing.say(value("back"))
    outgoing.acknowledged(1)
    assert take(outgoing) == ["back"]
    outgoing.dropped()
    outgoing.connected()
    assert take(outgoing) == ["back"]


def test_a_clearing_under_way_while_all_is_said_again_does_no_harm(outgoing):
    outgoing.say(value(""))
    take(outgoing)
    outgoing.say_again()
    outgoing.acknowledged(1)
    assert take(outgoing) == []
    assert outgoing.idle
