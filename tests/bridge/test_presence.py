"""Another client on our base topic says that we are not there."""

import pytest

from tests.support.core.builders import DRYER

AVAILABILITY, STATE = "sense/7/availability", "sense/bridge/state"
SEVERAL_S = 5


@pytest.fixture
def bridge(bridge):
    bridge.show(DRYER, at=1)
    return bridge


def said(bridge, topic):
    return [message.payload for message in bridge.broker.published if message.topic == topic]


def keep_showing(bridge, seconds):
    for _ in range(seconds):
        bridge.pass_time(1)
        bridge.show(DRYER, at=bridge.clock.after_s)


@pytest.mark.parametrize("topic", [AVAILABILITY, STATE])
@pytest.mark.parametrize("word", [b"offline", b"", b"\xff"], ids=["offline", "cleared", "no text"])
def test_a_living_bridge_says_again_that_it_is_online(bridge, caplog, topic, word):
    before = said(bridge, topic)
    for _ in range(3):
        bridge.send(topic, word)
        keep_showing(bridge, SEVERAL_S)
        bridge.send(topic, b"online")  # our own word comes back
    assert said(bridge, topic) == [*before, "online", "online", "online"]
    assert caplog.text.count("another client said") == 1


@pytest.mark.parametrize("words", [[b"online"], [b"offline", b"online"]], ids=["our own", "an older one of our own"])
def test_our_own_words_are_no_reason_to_say_anything_again(bridge, caplog, words):
    before = len(bridge.broker.published)
    for word in words:
        bridge.send(AVAILABILITY, word)
    bridge.pass_time(SEVERAL_S)
    assert AVAILABILITY not in [message.topic for message in bridge.broker.published[before:]]
    assert "another client" not in caplog.text


def test_what_is_offline_here_is_not_corrected(bridge):
    bridge.pass_time(60)
    before = said(bridge, AVAILABILITY)
    assert before[-1] == "offline"
    bridge.send(AVAILABILITY, b"online")
    bridge.pass_time(SEVERAL_S)
    assert said(bridge, AVAILABILITY) == before


def test_other_monitors_are_none_of_our_business(bridge):
    bridge.send("sense/8/availability", b"offline")
    bridge.pass_time(SEVERAL_S)
    assert said(bridge, "sense/8/availability") == []


def test_without_a_broker_nothing_is_said(bridge):
    bridge.send(AVAILABILITY, b"offline")
    bridge.drop()
    bridge.broker.published.clear()
    bridge.pass_time(SEVERAL_S)
    assert bridge.broker.published == []


def test_a_word_of_ours_that_is_still_under_way_is_not_said_twice(bridge):
    bridge.broker.slow = True
    bridge.drop()
    bridge.pass_time(3)
    bridge.connect()
    bridge.broker.published.clear()
    bridge.send(AVAILABILITY, b"offline")  # our will
    keep_showing(bridge, SEVERAL_S)
    assert AVAILABILITY not in [message.topic for message in bridge.broker.published]
