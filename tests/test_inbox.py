"""The one queue into the bridge."""

import threading

from sense_mqtt.clock import Moment
from sense_mqtt.inbox import FRAMES_WAITING_MOST, FrameArrived, Inbox, Stop, UpdatePolled

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
    for n in range(FRAMES_WAITING_MOST):
        assert inbox.put_frame((FrameArrived(7, "x"), UpdatePolled(7, {}, Moment(0, 0)))[n % 2], patience_s=0)
    assert not inbox.put_frame(FrameArrived(7, "x"), patience_s=0)
    inbox.put(Stop("still taken"))
    assert len(inbox) == FRAMES_WAITING_MOST + 1


def test_room_comes_back_with_each_frame_that_is_taken_and_with_nothing_else():
    inbox = Inbox()
    for _ in range(2):  # the bound neither grows nor shrinks
        inbox.put(Stop("x"))
        assert inbox.get(0) == Stop("x")
        for _ in range(FRAMES_WAITING_MOST):
            assert inbox.put_frame(FrameArrived(7, "x"), patience_s=0)
        assert not inbox.put_frame(FrameArrived(7, "x"), patience_s=0)
        for _ in range(FRAMES_WAITING_MOST):
            assert inbox.get(0) is not None


def test_a_feed_that_waits_for_room_goes_on_when_there_is_some():
    inbox = Inbox()
    for _ in range(FRAMES_WAITING_MOST):
        inbox.put_frame(FrameArrived(7, "x"))
    done = threading.Event()
    feed = threading.Thread(target=lambda: inbox.put_frame(FrameArrived(7, "last"), PATIENCE_S) and done.set())
    feed.start()
    taken = [inbox.get(PATIENCE_S) for _ in range(FRAMES_WAITING_MOST + 1)]
    assert done.wait(PATIENCE_S)
    feed.join(PATIENCE_S)
    assert taken[-1] == FrameArrived(7, "last")
