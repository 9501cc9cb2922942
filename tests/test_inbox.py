"""The one queue into the bridge."""

import threading

from sense_mqtt.clock import Moment
from sense_mqtt.inbox import MAX_WAITING_FRAMES, MAX_WAITING_OTHERS, MAX_WAITING_REQUESTS, Inbox
from sense_mqtt.items import FrameArrived, MessageArrived, Stop, UpdatePolled

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


def test_frames_are_bounded_and_all_else_is_not():
    inbox = Inbox()
    for n in range(MAX_WAITING_FRAMES):
        assert inbox.put_frame((FrameArrived(7, "x"), UpdatePolled(7, {}, Moment(0, 0)))[n % 2], timeout_s=0)
    assert not inbox.put_frame(FrameArrived(7, "x"), timeout_s=0)
    inbox.put(Stop("still taken"))
    assert len(inbox) == MAX_WAITING_FRAMES + 1


def test_room_comes_back_with_each_frame_that_is_taken_and_with_nothing_else():
    inbox = Inbox()
    for _ in range(2):  # the bound neither grows nor shrinks
        inbox.put(Stop("x"))
        assert inbox.get(0) == Stop("x")
        for _ in range(MAX_WAITING_FRAMES):
            assert inbox.put_frame(FrameArrived(7, "x"), timeout_s=0)
        assert not inbox.put_frame(FrameArrived(7, "x"), timeout_s=0)
        for _ in range(MAX_WAITING_FRAMES):
            assert inbox.get(0) is not None


def test_a_feed_that_waits_for_room_goes_on_when_there_is_some():
    inbox = Inbox()
    for _ in range(MAX_WAITING_FRAMES):
        inbox.put_frame(FrameArrived(7, "x"))
    done = threading.Event()
    feed = threading.Thread(target=lambda: inbox.put_frame(FrameArrived(7, "last"), PATIENCE_S) and done.set())
    feed.start()
    taken = [inbox.get(PATIENCE_S) for _ in range(MAX_WAITING_FRAMES + 1)]
    assert done.wait(PATIENCE_S)
    feed.join(PATIENCE_S)
    assert taken[-1] == FrameArrived(7, "last")


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
