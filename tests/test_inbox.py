"""The one queue into the bridge."""

import threading

from sense_mqtt.clock import Moment
from sense_mqtt.inbox import (
    MAX_WAITING_BYTES,
    MAX_WAITING_FRAMES,
    MAX_WAITING_OF_ONE,
    MAX_WAITING_OTHERS,
    MAX_WAITING_REQUESTS,
    Inbox,
)
from sense_mqtt.items import Acknowledged, FrameArrived, MessageArrived, Stop, UpdatePolled

PATIENCE_S = 10.0


def test_items_come_out_in_the_order_in_which_they_came():
    inbox = Inbox()
    items = [Stop("a"), FrameArrived(7, "x"), Stop("b")]
    inbox.put(items[0])
    assert inbox.put_frame(items[1])
    inbox.put(items[2])
    assert len(inbox) == 3
    assert [inbox.get(0) for _ in items] == items
    assert len(inbox) == 0


def test_nothing_in_time_is_none():
    inbox = Inbox()
    assert inbox.get(0) is None
    assert inbox.get(-1) is None


def take_all(inbox):
    return [inbox.get(0) for _ in range(len(inbox))]


def fill(inbox, monitor):
    """Put frames until one is refused; return how many were taken."""
    count = 0
    while inbox.put_frame(
        (FrameArrived(monitor, "x"), UpdatePolled(monitor, {}, Moment(0, 0), Moment(0, 0)))[count % 2]
    ):
        count += 1
    return count


def test_frames_of_one_feed_are_bounded_and_those_of_others_and_all_else_are_not():
    inbox = Inbox()
    assert fill(inbox, 7) == MAX_WAITING_OF_ONE
    assert inbox.put_frame(FrameArrived(8, "x"))
    inbox.put(Stop("still taken"))
    assert len(inbox) == MAX_WAITING_OF_ONE + 2


def test_frames_of_all_feeds_together_are_bounded():
    inbox = Inbox()
    assert sum(fill(inbox, monitor) for monitor in range(1000)) == MAX_WAITING_FRAMES


def test_bytes_of_all_feeds_together_are_bounded():
    inbox, giant = Inbox(), "x" * 1_000_000
    taken = [inbox.put_frame(FrameArrived(monitor, giant)) for monitor in range(100)]
    assert sum(taken) == MAX_WAITING_BYTES // 1_000_000
    assert not inbox.put_frame(FrameArrived(500, "x"))


def test_room_comes_back_with_each_frame_that_is_taken_and_with_nothing_else():
    inbox = Inbox()
    for _ in range(3):  # the bound neither grows nor shrinks
        inbox.put(Stop("x"))
        assert inbox.get(0) == Stop("x")
        assert fill(inbox, 7) == MAX_WAITING_OF_ONE
        take_all(inbox)


def test_that_there_is_room_again_is_told_once_half_of_a_feeds_frames_are_taken():
    inbox, told = Inbox(), []
    inbox.call_when_room(lambda monitor: told.append((monitor, len(inbox))))
    fill(inbox, 7)
    take_all(inbox)
    assert told == [(7, MAX_WAITING_OF_ONE // 2)]


def test_that_there_is_room_again_is_told_once_half_of_all_frames_are_taken():
    inbox, told = Inbox(), []
    for monitor in range(1000):
        fill(inbox, monitor)
    inbox.put(Stop("y"))
    inbox.call_when_room(lambda monitor: told.append((monitor, len(inbox))))
    take_all(inbox)
    assert [left for monitor, left in told if monitor is None] == [MAX_WAITING_FRAMES // 2]  # with the Stop
    assert sum(fill(inbox, monitor) for monitor in range(1000)) == MAX_WAITING_FRAMES


def test_a_feed_that_waits_for_room_of_all_is_told_also_where_another_one_then_waits_for_its_own():
    inbox, told, feeds = Inbox(), [], MAX_WAITING_FRAMES // MAX_WAITING_OF_ONE
    for monitor in range(feeds):
        fill(inbox, monitor)
    assert not inbox.put_frame(FrameArrived(feeds, "no room of all"))
    inbox.call_when_room(told.append)
    for _ in range(MAX_WAITING_OF_ONE):
        inbox.get(0)
    assert not inbox.put_frame(FrameArrived(feeds - 1, "no room of its own"))
    take_all(inbox)
    assert None in told


def test_where_no_feed_waits_for_room_nothing_is_told():
    inbox, told = Inbox(), []
    inbox.call_when_room(told.append)
    for _ in range(MAX_WAITING_OF_ONE):
        inbox.put_frame(FrameArrived(7, "x"))
    take_all(inbox)
    assert told == []


def test_a_feed_that_waits_for_room_goes_on_when_there_is_some():
    inbox, room, came = Inbox(), threading.Event(), []
    inbox.call_when_room(lambda _monitor: room.set())

    def put_many():
        for number in range(1000):
            while not inbox.put_frame(FrameArrived(7, str(number))):
                assert room.wait(PATIENCE_S)
                room.clear()

    feed = threading.Thread(target=put_many)
    feed.start()
    came = [inbox.get(PATIENCE_S) for _ in range(1000)]
    feed.join(PATIENCE_S)
    assert [item.raw for item in came] == [str(number) for number in range(1000)]


def request(number=0):
    return MessageArrived(1, "sense/bridge/request/status", b"%d" % number)


def echo(number=0):
    return MessageArrived(1, "sense/7/device/a/event", b"%d" % number)


def test_messages_from_mqtt_come_last_and_in_their_order():
    inbox = Inbox()
    items = [request(1), Stop("a"), echo(2), FrameArrived(7, "x"), request(3), Stop("b")]
    for item in items:
        inbox.put_frame(item) if isinstance(item, FrameArrived) else inbox.put(item)
    assert len(inbox) == 6
    assert [inbox.get(0) for _ in items] == [items[1], items[3], items[5], items[0], items[2], items[4]]
    assert (len(inbox), inbox.get(0)) == (0, None)


def test_what_comes_between_two_messages_goes_before_the_second():
    inbox = Inbox()
    inbox.put(request(1))
    inbox.put(request(2))
    assert inbox.get(0) == request(1)
    inbox.put_frame(FrameArrived(7, "x"))
    assert not inbox.holds_only_messages
    assert inbox.get(0) == FrameArrived(7, "x")
    assert inbox.holds_only_messages
    assert inbox.get(0) == request(2)
    assert inbox.holds_only_messages


def test_messages_are_bounded_each_kind_by_itself_and_what_is_lost_is_counted_once():
    inbox = Inbox()
    for number in range(MAX_WAITING_REQUESTS + 5):
        inbox.put(request(number))
    for number in range(MAX_WAITING_OTHERS + 3):
        inbox.put(echo(number))
    assert len(inbox) == MAX_WAITING_REQUESTS + MAX_WAITING_OTHERS
    assert (inbox.take_lost(), inbox.take_lost()) == (8, 0)
    assert inbox.get(0) == request(0)
    inbox.put(request(99))
    inbox.put(request(100))
    assert inbox.take_lost() == 1


def test_a_message_wakes_whoever_waits():
    inbox, came = Inbox(), []
    waiting = threading.Thread(target=lambda: came.append(inbox.get(PATIENCE_S)))
    waiting.start()
    inbox.put(request())
    waiting.join(PATIENCE_S)
    assert came == [request()]


def test_acknowledgements_can_be_taken_before_frames_that_are_older():
    inbox = Inbox()
    inbox.put_frame(FrameArrived(7, "x"))
    inbox.put_frame(FrameArrived(7, "y"))
    inbox.put(Acknowledged(1, 1))
    inbox.put(Acknowledged(1, 2))
    assert (len(inbox), inbox.get(0)) == (4, FrameArrived(7, "x"))
    assert (inbox.take_acknowledged(), inbox.take_acknowledged()) == ([Acknowledged(1, 1), Acknowledged(1, 2)], [])
    assert (inbox.get(0), len(inbox), inbox.get(0)) == (FrameArrived(7, "y"), 0, None)


def test_acknowledgements_that_keep_coming_hold_up_no_frame():
    inbox = Inbox()
    inbox.put(Acknowledged(1, 1))
    inbox.put(Acknowledged(1, 2))
    inbox.put_frame(FrameArrived(7, "x"))
    inbox.put(Acknowledged(1, 3))
    taken = [inbox.get(0) for _ in range(4)]
    assert taken == [Acknowledged(1, 1), FrameArrived(7, "x"), Acknowledged(1, 2), Acknowledged(1, 3)]
    assert (len(inbox), inbox.holds_only_messages, inbox.get(0)) == (0, True, None)


def test_an_acknowledgement_wakes_whoever_waits():
    inbox, came = Inbox(), []
    waiting = threading.Thread(target=lambda: came.append(inbox.get(PATIENCE_S)))
    waiting.start()
    inbox.put(Acknowledged(1, 1))
    waiting.join(PATIENCE_S)
    assert came == [Acknowledged(1, 1)]
