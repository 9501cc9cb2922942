"""Retained topics that are cleared: an empty payload has to reach the broker, and is then forgotten."""

import pytest

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.outbox import Outbox


def value(payload):
    return Message("a", payload, retain=True, final=not payload)


def take(outbox, mid=1):
    """Let out what may go, numbered from `mid`; return the payloads."""
    payloads = []
    while (message := outbox.next()) is not None:
        outbox.sent(mid + len(payloads), message, now=0.0)
        payloads.append(message.payload)
    return payloads


@pytest.fixture
def outbox():
    queue = Outbox()
    queue.connected()
    return queue


def test_a_cleared_topic_is_forgotten_once_the_broker_has_it(outbox):
    outbox.enqueue_retained(value("1"))
    outbox.enqueue_retained(value(""))
    assert take(outbox) == [""]
    outbox.acknowledged(1)
    outbox.disconnected()
    outbox.connected()
    assert take(outbox) == []


def test_a_clearing_that_was_lost_with_the_connection_goes_again(outbox):
    outbox.enqueue_retained(value(""))
    assert take(outbox) == [""]
    outbox.disconnected()
    outbox.connected()
    assert take(outbox) == [""]


def test_a_topic_cleared_while_the_broker_is_away_is_cleared_when_it_comes(outbox):
    outbox.enqueue_retained(value("1"))
    take(outbox)
    outbox.disconnected()
    outbox.enqueue_retained(value(""))
    outbox.connected()
    assert take(outbox) == [""]


def test_a_topic_that_is_said_anew_while_its_clearing_is_under_way_stays(outbox):
    outbox.enqueue_retained(value(""))
    take(outbox)
    outbox.enqueue_retained(value("back"))
    outbox.acknowledged(1)
    assert take(outbox) == ["back"]
    outbox.disconnected()
    outbox.connected()
    assert take(outbox) == ["back"]


def test_a_clearing_under_way_while_all_is_said_again_does_no_harm(outbox):
    outbox.enqueue_retained(value(""))
    take(outbox)
    outbox.republish_all()
    outbox.acknowledged(1)
    assert take(outbox) == []
    assert outbox.idle
