"""Which message makes the broker end the connection."""

import pytest

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.poison_messages import SERVER_CODES, PoisonMessages

LOST = None  # no reason was told
TOO_LARGE, NOT_AUTHORIZED, TOPIC_INVALID, PROTOCOL_ERROR = 0x95, 0x87, 0x90, 0x82


def value(topic, payload="1"):
    return Message(topic, payload, retain=True)


def event(number, topic="sense/7/device/a/event", payload="on"):
    return Message(topic, payload, event=number)


def found(poison_messages, message, code=LOST, most=10):
    """Lose connections with this message alone in flight until it is found; return how many that took."""
    return next(count for count in range(1, most) if poison_messages.connection_lost([message], code) == message)


@pytest.fixture
def narrow():
    """Messages go one at a time already."""
    poison_messages = PoisonMessages()
    poison_messages.connection_lost([value("x"), value("y")], LOST)
    assert poison_messages.one_at_a_time
    return poison_messages


def test_after_an_early_loss_messages_go_one_at_a_time():
    poison_messages = PoisonMessages()
    assert poison_messages.connection_lost([value("a"), value("b")], LOST) is None
    assert poison_messages.one_at_a_time


@pytest.mark.parametrize(
    ("inflight", "code", "early"),
    [
        pytest.param([], LOST, True, id="nothing was in flight"),
        pytest.param([value("a"), value("b")], LOST, False, id="the connection had held"),
        *(pytest.param([value("a")], code, True, id=f"the server's own reason {code:#x}") for code in SERVER_CODES),
    ],
)
def test_a_loss_that_points_at_no_message_changes_nothing(inflight, code, early):
    poison_messages = PoisonMessages()
    assert poison_messages.connection_lost(inflight, code, early=early) is None
    assert not poison_messages.one_at_a_time


def test_without_a_reason_a_message_is_the_cause_once_it_was_alone_in_flight_twice(narrow):
    assert found(narrow, value("a")) == 2
    assert narrow.withholds(value("a", "another value"))
    assert not narrow.withholds(value("b"))


def test_the_loss_that_begins_it_does_not_count():
    assert found(PoisonMessages(), value("a")) == 3


def test_two_messages_that_were_alone_in_flight_once_each_are_not_the_cause(narrow):
    for topic in "abab":
        assert narrow.connection_lost([value(topic)], LOST) is None


@pytest.mark.parametrize("code", [TOO_LARGE, NOT_AUTHORIZED, TOPIC_INVALID, PROTOCOL_ERROR])
def test_with_a_reason_once_is_enough_also_after_a_connection_that_had_held(code):
    assert PoisonMessages().connection_lost([value("a")], code, early=False) == value("a")


def test_a_reason_with_several_in_flight_finds_the_cause_at_the_next_loss():
    poison_messages = PoisonMessages()
    assert poison_messages.connection_lost([value("a"), value("b")], NOT_AUTHORIZED, early=False) is None
    assert poison_messages.connection_lost([value("b")], NOT_AUTHORIZED) == value("b")


def test_what_is_as_large_as_what_was_too_large_is_kept_back_and_what_is_smaller_goes(narrow):
    assert narrow.max_size is None
    large = value("a", "x" * 1000)
    assert narrow.connection_lost([large], TOO_LARGE) == large
    assert narrow.max_size == large.size - 1
    assert narrow.withholds(value("b", "x" * 1000))
    assert not narrow.withholds(value("a", "x" * 999))


def test_an_event_that_may_not_be_published_keeps_its_topic_back(narrow):
    narrow.connection_lost([event(1)], NOT_AUTHORIZED)
    assert narrow.withholds(event(2))
    assert not narrow.withholds(event(3, "sense/7/device/b/event"))


def test_without_a_reason_one_event_is_kept_back_alone_and_the_second_with_its_topic(narrow):
    found(narrow, event(1))
    assert narrow.withholds(event(1))
    assert not narrow.withholds(event(2))
    found(narrow, event(2))
    assert narrow.withholds(event(3))
    assert not narrow.withholds(event(4, "sense/7/device/b/event"))


CONFIGS = [value(f"homeassistant/{platform}/a/config") for platform in ("sensor", "event", "button")]


def test_after_two_topics_of_a_kind_all_of_that_kind_are_kept_back(narrow):
    for config in CONFIGS[:2]:
        assert not narrow.withholds(config)
        found(narrow, config)
    assert narrow.withholds_kind(CONFIGS[0])
    assert narrow.withholds(CONFIGS[2])
    assert not narrow.withholds(value("homeassistant/status"))
    assert not narrow.withholds(value("sense/7/config"))


def test_topics_with_more_levels_are_of_another_kind(narrow):
    narrow.acknowledged(value("sense/7/power"))
    for device in "ab":
        found(narrow, value(f"sense/7/device/{device}/power"))
    assert narrow.withholds(value("sense/7/device/c/power"))
    assert not narrow.withholds(value("sense/7/power"))


def test_once_two_were_found_being_alone_once_is_enough_until_all_is_delivered(narrow):
    assert [found(narrow, value(topic)) for topic in ("a/1", "b/2", "c/3")] == [2, 2, 1]
    narrow.all_delivered()
    narrow.connection_lost([value("x"), value("y")], LOST)
    assert found(narrow, value("d/4")) == 2


def test_a_kind_of_which_the_broker_took_one_is_not_kept_back_altogether(narrow):
    narrow.acknowledged(CONFIGS[2])
    for config in CONFIGS[:2]:
        found(narrow, config)
    assert not narrow.withholds(CONFIGS[2])
    assert not narrow.withholds_kind(CONFIGS[0])


def test_once_all_is_delivered_nothing_is_under_suspicion_but_what_was_found_stays_back(narrow):
    found(narrow, value("a"))
    narrow.connection_lost([value("b")], LOST)
    narrow.all_delivered()
    assert not narrow.one_at_a_time
    assert narrow.withholds(value("a"))
    assert found(narrow, value("b")) == 3


def test_what_is_forgiven_is_tried_again(narrow):
    for config in CONFIGS[:2]:
        found(narrow, config)
    narrow.connection_lost([value("big", "x" * 1000)], TOO_LARGE)
    narrow.retry_all()
    assert not any(map(narrow.withholds, [*CONFIGS, value("big", "x" * 1000)]))
    assert narrow.max_size is None
