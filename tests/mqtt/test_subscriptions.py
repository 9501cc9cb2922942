"""Which topics are subscribed to: what the broker refuses, and what is left out after a message too large."""

import pytest

from sense_mqtt.mqtt.subscriptions import (
    DISCONNECTED,
    MAX_DISCONNECTS,
    MAX_SUSPENDED_S,
    SUSPENDED_S,
    Subscriptions,
    describe_refusal,
)

REQUESTS, BIRTH = "sense/bridge/request/#", "homeassistant/status"


class Time:
    now = 0.0

    def __call__(self):
        return self.now


def test_at_first_requests_are_left_out_then_all():
    subscriptions = Subscriptions((REQUESTS, BIRTH), Time())
    assert subscriptions.present() == (REQUESTS, BIRTH)
    assert subscriptions.suspend() == ((REQUESTS,), SUSPENDED_S)
    assert subscriptions.present() == (BIRTH,)
    assert subscriptions.suspend() == ((REQUESTS, BIRTH), 2 * SUSPENDED_S)
    assert subscriptions.present() == ()


def test_without_requests_all_are_left_out_at_once():
    assert Subscriptions((BIRTH,), Time()).suspend()[0] == (BIRTH,)


def test_what_was_left_out_is_due_again_once():
    time = Time()
    subscriptions = Subscriptions((REQUESTS, BIRTH), time)
    assert subscriptions.due_again() == ()
    subscriptions.suspend()
    time.now = SUSPENDED_S - 1
    assert subscriptions.due_again() == ()
    time.now = SUSPENDED_S
    assert (subscriptions.due_again(), subscriptions.due_again()) == ((REQUESTS,), ())


def test_a_connection_after_that_time_subscribes_to_all_at_once():
    time = Time()
    subscriptions = Subscriptions((REQUESTS, BIRTH), time)
    subscriptions.suspend()
    time.now = SUSPENDED_S
    assert subscriptions.present() == (REQUESTS, BIRTH)
    assert subscriptions.due_again() == ()


def test_a_message_that_stays_there_is_met_more_and_more_seldom():
    time = Time()
    subscriptions = Subscriptions((REQUESTS, BIRTH), time)
    for _ in range(10):
        left_out, lasts_s = subscriptions.suspend()
        assert left_out == (REQUESTS,)
        time.now += lasts_s
        assert subscriptions.due_again() == (REQUESTS,)
    assert lasts_s == MAX_SUSPENDED_S


# --- refusals


def test_each_topic_of_a_suback_has_its_own_answer_and_a_refusal_is_news_once():
    subscriptions = Subscriptions((REQUESTS, BIRTH))
    for news in ([BIRTH], []):
        assert subscriptions.begin() == (REQUESTS, BIRTH)
        assert subscriptions.answered([None, "Not authorized"]) == (news, ())
    assert subscriptions.refused == {BIRTH: "Not authorized"}


def test_what_is_granted_later_is_not_refused_any_more():
    subscriptions = Subscriptions((REQUESTS,))
    subscriptions.begin()
    subscriptions.answered(["Not authorized"])
    subscriptions.begin()
    assert subscriptions.answered([None]) == ([], ())
    assert subscriptions.refused == {}


def test_a_suback_that_nobody_waits_for_changes_nothing():
    assert Subscriptions((BIRTH,)).answered(["Not authorized"]) == ([], ())


def test_a_line_that_is_lost_later_blames_no_subscription():
    subscriptions = Subscriptions((REQUESTS, BIRTH))
    for _ in range(10):
        subscriptions.begin()
        subscriptions.answered([None, None])
        assert subscriptions.disconnected() == []
    assert not subscriptions.one_at_a_time


def test_one_loss_before_the_answer_blames_no_subscription():
    subscriptions = Subscriptions((REQUESTS, BIRTH))
    for _ in range(10):
        subscriptions.begin()
        subscriptions.disconnected()
        subscriptions.begin()
        subscriptions.answered([None, None])
    assert not subscriptions.one_at_a_time


def test_after_hang_ups_topics_are_asked_for_one_by_one_until_the_one_is_known():
    subscriptions = Subscriptions(("a", "b", "c"))
    for _ in range(MAX_DISCONNECTS):
        assert subscriptions.begin() == ("a", "b", "c")
        assert subscriptions.disconnected() == []
    for known in ([], ["b"]):
        assert subscriptions.begin() == ("a",)
        assert subscriptions.answered([None]) == ([], ("b",))
        assert subscriptions.disconnected() == known
    assert subscriptions.begin() == ("a",)
    assert subscriptions.answered([None]) == ([], ("c",))
    assert subscriptions.answered([None]) == ([], ())
    assert subscriptions.refused == {"b": DISCONNECTED}


@pytest.mark.parametrize(
    ("topic", "loss"),
    [
        (REQUESTS, "commands are not heard"),
        (BIRTH, "what Home Assistant missed is not said again when it starts"),
        ("sense/+/event", "an event may be told twice after the connection was lost"),
        ("sense/bridge/state", "where another client says `offline` for this bridge, it stays so"),
        ("sense/+/availability", "where another client says `offline` for this bridge, it stays so"),
    ],
)
def test_a_refusal_says_what_does_not_work_therefore(topic, loss):
    assert describe_refusal(topic, "why") == (
        f"the broker refuses the subscription to {topic} (why): {loss}; let mqtt.username read it"
    )
