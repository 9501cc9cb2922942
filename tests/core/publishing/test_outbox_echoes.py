"""Echoes: events whose acknowledgement was lost, and which the broker turns out to have."""

from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.core.publishing.outbox import Outbox
from tests.support.core.outbox import event, take, value


def lose_two_events(outbox):
    outbox.connected()
    for number, payload in enumerate("abc", 1):
        outbox.enqueue_event(Message("e", payload, event=number, event_id=payload))
    for mid in (1, 2):
        outbox.sent(mid, outbox.next(), 0.0)
    outbox.disconnected()


def test_an_event_that_is_echoed_does_not_go_again():
    outbox = Outbox()
    lose_two_events(outbox)
    assert outbox.connected(resumed=True)
    assert outbox.next() is None
    assert outbox.echoed("e", "b") == 2
    outbox.release_events()
    assert [outbox.next().payload, outbox.next().payload, outbox.next()] == ["a", "c", None]


def test_what_never_went_out_is_no_echo_of_ours():
    outbox = Outbox()
    lose_two_events(outbox)
    outbox.connected(resumed=True)
    assert outbox.echoed("e", "c") is None
    assert outbox.echoed("e", "x") is None


def test_a_broker_that_has_forgotten_us_gets_everything_again_at_once():
    outbox = Outbox()
    lose_two_events(outbox)
    assert not outbox.connected(resumed=False)
    assert outbox.next().payload == "a"


def test_where_nothing_is_in_doubt_nobody_waits():
    outbox = Outbox()
    outbox.enqueue_event(Message("e", "a", event=1))
    assert not outbox.connected(resumed=True)
    assert outbox.next().payload == "a"


def test_readings_that_never_end_hold_up_no_event():
    outbox = Outbox()
    outbox.enqueue_retained(value("config", "config", PublishOrder.DISCOVERY))
    outbox.connected(receive_maximum=1)
    outbox.enqueue_event(event(1))
    told = []
    for number in range(4):
        outbox.enqueue_retained(value(f"v{number}", f"v{number}"))
        told += take(outbox, most=1)
        outbox.acknowledged(take.mid - 1)
    assert told == ["config", "event 1", "v0", "v1"]


def test_an_event_whose_echo_came_before_the_connection_was_lost_does_not_go_again(outbox):
    for number in (1, 2):
        outbox.enqueue_event(event(number))
    assert take(outbox) == ["event 1", "event 2"]
    assert outbox.echoed("e", "event 2") == 2
    outbox.disconnected()
    outbox.connected()
    assert take(outbox) == ["event 1"]


def test_an_echo_before_its_acknowledgement_changes_nothing_else(outbox):
    outbox.enqueue_event(event(1))
    assert take(outbox) == ["event 1"]
    assert outbox.echoed("e", "event 1") == 1
    assert outbox.acknowledged(1) == event(1)
    assert outbox.idle


def test_what_a_process_before_may_have_sent_waits_for_its_echo_once():
    outbox = Outbox()
    outbox.enqueue_event(event(1), maybe_delivered=True)
    outbox.enqueue_event(event(2), maybe_delivered=True)
    outbox.enqueue_event(event(3))
    assert outbox.connected(resumed=True)
    assert take(outbox) == []
    assert outbox.echoed("e", "event 1") == 1
    outbox.release_events()
    assert take(outbox) == ["event 2", "event 3"]
