"""A feed that is paused."""

import threading
import time

from feed_items import rungs, told, updates
from sense_parts import PATIENCE_S, feed_of, items_until, of_kind, read_head, rude_server, running

from sense_mqtt.inbox import FeedChanged, FeedEnded, FeedOpened, UpdatePolled


def test_a_pause_lets_go_of_the_socket_polls_and_ends_by_itself(cloud, session, inbox, settings):
    feed = feed_of(session, inbox, settings(healthy_messages=3))
    with running(feed):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
        began = time.monotonic()
        feed.pause(1.5, silent=False)
        assert cloud.records.wait(lambda counts: counts.sockets_open == 0)
        assert time.monotonic() - began < 2
        items = told(inbox, FeedOpened, 2)
        assert cloud.records.wait(lambda counts: counts.sockets_opened == 2)
    assert rungs(items) == ["paused", "stream"]
    assert [item.reason for item in of_kind(items, FeedChanged)] == ["for 2 s", "the pause is over"]
    assert [item.rung for item in of_kind(items, FeedOpened)] == ["paused", "stream"]
    assert len(of_kind(items, UpdatePolled)) >= 2


def test_a_silent_pause_asks_for_nothing(cloud, session, inbox, settings):
    feed = feed_of(session, inbox, settings())
    with running(feed):
        told(inbox, FeedOpened)
        feed.pause(0.5, silent=True)
        told(inbox, FeedOpened)
    assert not cloud.records.requests("realtime_update")


def test_resuming_ends_a_pause_at_once(cloud, session, inbox, settings):
    feed = feed_of(session, inbox, settings())
    with running(feed):
        told(inbox, FeedOpened)
        feed.pause(3600, silent=False)
        told(inbox, UpdatePolled)
        feed.resume()
        items = told(inbox, FeedOpened)
        feed.resume()  # nothing to resume
    assert rungs(items) == ["stream"]
    assert cloud.records.counts.sockets_most == 1


def test_a_longer_pause_replaces_a_shorter_one(session, inbox, settings):
    feed = feed_of(session, inbox, settings())
    with running(feed):
        told(inbox, FeedOpened)
        began = time.monotonic()
        feed.pause(0.1, silent=True)
        feed.pause(0.6, silent=True)
        items = told(inbox, FeedOpened)
    assert time.monotonic() - began > 0.55
    assert rungs(items) == ["paused", "paused", "stream"]


def test_polling_in_a_pause_outlives_an_outage(cloud, session, inbox, settings):
    feed = feed_of(session, inbox, settings())
    with running(feed):
        told(inbox, FeedOpened)
        feed.pause(3600, silent=False)
        told(inbox, UpdatePolled)
        cloud.faults.refuse(503, path="realtime_update", times=2)
        told(inbox, FeedEnded)
        items = told(inbox, UpdatePolled)
    assert of_kind(items, FeedOpened) == [FeedOpened(900_101, "paused")]


def test_firmware_that_cannot_be_polled_is_silent_in_a_pause(cloud, session, inbox, settings):
    cloud.faults.old_firmware = True
    feed = feed_of(session, inbox, settings())
    with running(feed):
        told(inbox, FeedOpened)
        feed.pause(0.5, silent=False)
        items = told(inbox, FeedOpened)
    assert not of_kind(items, UpdatePolled)
    assert len(cloud.records.requests("status")) == 1


def test_a_pause_while_connecting_ends_the_attempt(session, inbox, settings):
    session.token()
    reached = threading.Event()

    def hang(connection, over):
        read_head(connection)
        reached.set()
        over.wait(PATIENCE_S)

    with rude_server(hang) as port:
        feed = feed_of(session, inbox, settings(url=f"ws://127.0.0.1:{port}", timeout_s=60))
        with running(feed):
            assert reached.wait(PATIENCE_S)
            feed.pause(3600, silent=False)
            items = told(inbox, UpdatePolled)
    assert rungs(items) == ["paused"]
