"""What waits for the broker, and what goes out when."""

import pytest

from sense_mqtt.core.publishing.outbox import EVENTS_MOST, REPLIES_MOST, WINDOW, Message, Outgoing, Rank


def value(topic, payload="1", rank=Rank.VALUE):
    return Message(topic, payload, retain=True, rank=rank)


def event(number):
    return Message("e", f"event {number}", event=number, identity=f"event {number}")


def answer(text):
    return Message("r", text)


def take(outgoing, most=1000):
    """Let out what may go, numbered from 1 in each call's order; return the payloads."""
    payloads = []
    while len(payloads) < most and (message := outgoing.next()) is not None:
        outgoing.sent(take.mid, message, now=float(take.mid))
        take.mid += 1
        payloads.append(message.payload)
    return payloads


@pytest.fixture(autouse=True)
def _count_from_one():
    take.mid = 1


@pytest.fixture
def outgoing():
    """A queue with a connection that heard everything already."""
    queue = Outgoing()
    queue.connected()
    assert queue.next() is None
    return queue


def test_nothing_goes_out_without_a_connection():
    outgoing = Outgoing()
    outgoing.say(value("a"))
    outgoing.offer(event(1))
    outgoing.reply(answer("x"))
    assert outgoing.next() is None
    assert outgoing.lengths == {"retained": 1, "events": 1, "replies": 1, "in_flight": 0}


def test_a_new_connection_hears_what_is_retained_by_rank_then_answers_then_events():
    outgoing = Outgoing()
    outgoing.say(value("state", "online", Rank.BRIDGE_STATE))
    outgoing.say(value("v1", "v1"))
    outgoing.say(value("config", "config", Rank.DISCOVERY))
    outgoing.say(value("availability", "availability", Rank.AVAILABILITY))
    outgoing.say(value("v2", "v2"))
    outgoing.say(value("info", "info", Rank.INFO))
    outgoing.offer(event(1))
    outgoing.reply(answer("answer"))
    outgoing.connected()
    assert take(outgoing) == [
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
    outgoing = Outgoing()
    for n in range(1000):
        outgoing.say(value("a", str(n)))
        outgoing.say(value("b", str(n)))
    outgoing.connected()
    assert take(outgoing) == ["999", "999"]


def test_events_go_before_values_once_all_was_introduced(outgoing):
    outgoing.say(value("a", "value"))
    outgoing.offer(event(1))
    outgoing.reply(answer("answer"))
    assert take(outgoing) == ["event 1", "answer", "value"]


def test_answers_and_values_take_turns_so_that_neither_starves():
    outgoing = Outgoing()
    outgoing.connected()
    for number in range(4):
        outgoing.reply(answer(f"a{number}"))
    for number in range(3):
        outgoing.say(value(f"v{number}", f"v{number}"))
    assert take(outgoing) == ["a0", "v0", "a1", "v1", "a2", "v2", "a3"]


def test_answers_leave_room_for_what_happens_while_no_acknowledgement_comes(outgoing):
    for number in range(100):
        outgoing.reply(answer(f"answer {number}"))
    assert len(take(outgoing)) == WINDOW // 4  # a flood of requests delays acknowledgements too
    outgoing.offer(event(1))
    outgoing.say(value("a", "a"))
    assert take(outgoing) == ["event 1", "a"]


def test_values_leave_room_for_events_while_no_acknowledgement_comes(outgoing):
    for number in range(100):
        outgoing.say(value(f"topic {number}"))
    assert len(take(outgoing)) == WINDOW - WINDOW // 4
    for number in range(100):
        outgoing.offer(event(number))
    assert take(outgoing) == [f"event {number}" for number in range(WINDOW // 4)]


@pytest.mark.parametrize("message", [answer("a"), value("a", "a")])
@pytest.mark.parametrize("receive_maximum", [1, 2, 3])
def test_a_small_window_lets_answers_and_values_out_too(receive_maximum, message):
    outgoing = Outgoing()
    (outgoing.say if message.retain else outgoing.reply)(message)
    outgoing.connected(receive_maximum)
    assert take(outgoing) == ["a"]


def test_room_for_replies_is_bounded(outgoing):
    assert outgoing.room_for_replies == REPLIES_MOST
    outgoing.reply(answer("a"))
    assert outgoing.room_for_replies == REPLIES_MOST - 1


def test_what_home_assistant_must_know_goes_before_the_first_event_of_it(outgoing):
    outgoing.offer(event(1))
    outgoing.say(value("a", "value"))
    outgoing.say(value("config", "config", Rank.DISCOVERY))
    assert take(outgoing) == ["value", "config", "event 1"]


@pytest.mark.parametrize("receive_maximum", [1, 3, WINDOW])
def test_no_more_are_unacknowledged_than_the_window_takes(receive_maximum):
    outgoing = Outgoing()
    outgoing.connected(receive_maximum)
    for n in range(1, 31):
        outgoing.offer(event(n))
    assert len(take(outgoing)) == receive_maximum
    assert outgoing.acknowledged(1) == event(1)
    assert take(outgoing) == [f"event {receive_maximum + 1}"]


def test_every_event_goes_through_a_small_window_in_order():
    outgoing = Outgoing()
    outgoing.connected(2)
    for n in range(1, 51):
        outgoing.offer(event(n))
    went, oldest = [], 1
    while not outgoing.idle:
        went += take(outgoing)
        outgoing.acknowledged(oldest)
        oldest += 1
    assert went == [f"event {n}" for n in range(1, 51)]


def test_what_was_not_acknowledged_goes_again_in_its_old_order(outgoing):
    for n in range(1, 6):
        outgoing.offer(event(n))
    outgoing.reply(answer("a1"))
    outgoing.reply(answer("a2"))
    assert take(outgoing, most=6) == ["event 1", "event 2", "event 3", "event 4", "event 5", "a1"]
    outgoing.acknowledged(6)  # a1
    outgoing.acknowledged(2)  # event 2
    outgoing.dropped()
    assert outgoing.next() is None
    outgoing.connected()
    assert take(outgoing) == ["event 1", "event 3", "event 4", "event 5", "a2"]


def test_a_value_that_was_under_way_goes_again_as_its_newest(outgoing):
    outgoing.say(value("a", "old"))
    assert take(outgoing) == ["old"]
    outgoing.say(value("a", "new"))
    outgoing.dropped()
    outgoing.connected()
    assert take(outgoing) == ["new"]


def test_saying_again_repeats_what_is_retained_and_nothing_else(outgoing):
    outgoing.say(value("a", "1"))
    outgoing.offer(event(1))
    assert take(outgoing) == ["event 1", "1"]
    outgoing.say_again()
    assert take(outgoing) == ["1"]


def test_what_did_not_go_out_is_taken_back_to_the_front(outgoing):
    outgoing.say(value("a", "1"))
    for n in (1, 2):
        outgoing.offer(event(n))
        outgoing.reply(answer(f"a{n}"))
    for expected in ("event 1", "event 1"):
        message = outgoing.next()
        assert message.payload == expected
        outgoing.take_back(message)
    assert take(outgoing, most=2) == ["event 1", "event 2"]
    outgoing.take_back(outgoing.next())  # an answer
    assert sorted(take(outgoing)) == ["1", "a1", "a2"]


def test_a_number_that_is_not_known_acknowledges_nothing(outgoing):
    outgoing.offer(event(1))
    take(outgoing)
    assert outgoing.acknowledged(99) is None
    outgoing.dropped()
    assert outgoing.acknowledged(1) is None  # of the connection before


def test_room_for_events_is_bounded(outgoing):
    assert outgoing.room_for_events == EVENTS_MOST == 100
    for n in range(EVENTS_MOST):
        outgoing.offer(event(n))
    assert outgoing.room_for_events == 0


def test_answers_that_nobody_takes_are_refused_beyond_a_bound():
    outgoing = Outgoing()
    assert [outgoing.reply(answer(str(n))) for n in range(REPLIES_MOST + 1)] == [True] * REPLIES_MOST + [False]


def test_the_age_of_the_oldest_unacknowledged_message(outgoing):
    assert outgoing.oldest_flight_s(100.0) == 0.0
    outgoing.offer(event(1))
    outgoing.offer(event(2))
    take(outgoing)
    assert outgoing.oldest_flight_s(100.0) == 99.0
    outgoing.acknowledged(1)
    assert outgoing.oldest_flight_s(100.0) == 98.0


def test_idle_means_that_nothing_waits_and_nothing_is_under_way(outgoing):
    assert outgoing.idle
    outgoing.say(value("a"))
    assert not outgoing.idle
    take(outgoing)
    assert not outgoing.idle
    outgoing.acknowledged(1)
    assert outgoing.idle


def test_the_size_of_a_message_counts_bytes_not_letters():
    assert Message("a/b", "Küche", correlation=b"12").size == 3 + 6 + 2 + 32


# --- echoes: events whose acknowledgement was lost


def lose_two_events(outgoing):
    outgoing.connected()
    for number, payload in enumerate("abc", 1):
        outgoing.offer(Message("e", payload, event=number, identity=payload))
    for mid in (1, 2):
        outgoing.sent(mid, outgoing.next(), 0.0)
    outgoing.dropped()


def test_an_event_that_is_echoed_does_not_go_again():
    outgoing = Outgoing()
    lose_two_events(outgoing)
    assert outgoing.connected(resumed=True)
    assert outgoing.next() is None
    assert outgoing.echoed("e", "b") == 2
    outgoing.release_events()
    assert [outgoing.next().payload, outgoing.next().payload, outgoing.next()] == ["a", "c", None]


def test_what_never_went_out_is_no_echo_of_ours():
    outgoing = Outgoing()
    lose_two_events(outgoing)
    outgoing.connected(resumed=True)
    assert outgoing.echoed("e", "c") is None
    assert outgoing.echoed("e", "x") is None


def test_a_broker_that_has_forgotten_us_gets_everything_again_at_once():
    outgoing = Outgoing()
    lose_two_events(outgoing)
    assert not outgoing.connected(resumed=False)
    assert outgoing.next().payload == "a"


def test_where_nothing_is_in_doubt_nobody_waits():
    outgoing = Outgoing()
    outgoing.offer(Message("e", "a", event=1))
    assert not outgoing.connected(resumed=True)
    assert outgoing.next().payload == "a"


def test_readings_that_never_end_hold_up_no_event():
    outgoing = Outgoing()
    outgoing.say(value("config", "config", Rank.DISCOVERY))
    outgoing.connected(window=1)
    outgoing.offer(event(1))
    told = []
    for number in range(4):
        outgoing.say(value(f"v{number}", f"v{number}"))
        told += take(outgoing, most=1)
        outgoing.acknowledged(take.mid - 1)
    assert told == ["config", "event 1", "v0", "v1"]


def test_an_event_whose_echo_came_before_the_connection_was_lost_does_not_go_again(outgoing):
    for number in (1, 2):
        outgoing.offer(event(number))
    assert take(outgoing) == ["event 1", "event 2"]
    assert outgoing.echoed("e", "event 2") == 2
    outgoing.dropped()
    outgoing.connected()
    assert take(outgoing) == ["event 1"]


def test_an_echo_before_its_acknowledgement_changes_nothing_else(outgoing):
    outgoing.offer(event(1))
    assert take(outgoing) == ["event 1"]
    assert outgoing.echoed("e", "event 1") == 1
    assert outgoing.acknowledged(1) == event(1)
    assert outgoing.idle


def test_what_a_process_before_may_have_sent_waits_for_its_echo_once():
    outgoing = Outgoing()
    outgoing.offer(event(1), doubtful=True)
    outgoing.offer(event(2), doubtful=True)
    outgoing.offer(event(3))
    assert outgoing.connected(resumed=True)
    assert take(outgoing) == []
    assert outgoing.echoed("e", "event 1") == 1
    outgoing.release_events()
    assert take(outgoing) == ["event 2", "event 3"]
