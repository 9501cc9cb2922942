"""A feed that is paused."""

import threading
import time

import pytest

from sense_mqtt.inbox import Inbox
from sense_mqtt.items import FeedChanged, FeedEnded, FeedOpened, UpdatePolled
from sense_mqtt.sense.feed.pause import Pause, PauseControl
from sense_mqtt.sense.feed.reporter import FeedReporter
from sense_mqtt.sense.state_file import StateFile
from tests.support.sense.feed_items import told, transports, updates
from tests.support.sense.sense_fixtures import (
    PATIENCE_S,
    FakeClock,
    faulty_server,
    feed_of,
    items_until,
    of_kind,
    read_head,
    running,
)

pytestmark = pytest.mark.enable_socket


def test_a_pause_lets_go_of_the_socket_polls_and_ends_by_itself(cloud, session, inbox, settings):
    feed = feed_of(session, inbox, settings(stable_messages=3))
    with running(feed):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
        began = time.monotonic()
        feed.pause(1.5, silent=False)
        assert cloud.records.wait(lambda counts: counts.sockets_opened >= 1 and counts.sockets_open == 0)
        assert time.monotonic() - began < 2
        items = told(inbox, FeedOpened, 2)
        assert cloud.records.wait(lambda counts: counts.sockets_opened == 2)
    assert transports(items) == ["paused", "stream"]
    assert [item.reason for item in of_kind(items, FeedChanged)] == ["for 2 s", "the pause is over"]
    assert [item.transport for item in of_kind(items, FeedOpened)] == ["paused", "stream"]
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
    assert transports(items) == ["stream"]
    assert cloud.records.counts.sockets_most == 1


@pytest.mark.parametrize("silent", [True, False])
def test_a_pause_survives_a_restart(cloud, session, inbox, settings, silent):
    with running(feed_of(session, inbox, settings())) as before:
        told(inbox, FeedOpened)
        before.pause(3600, silent=silent)
        assert cloud.records.wait(lambda counts: counts.sockets_opened >= 1 and counts.sockets_open == 0)
    opened = cloud.records.counts.sockets_opened
    inbox = Inbox()
    after = feed_of(session, inbox, settings())
    assert after.transport == "paused"
    with running(after):
        if not silent:
            assert of_kind(told(inbox, UpdatePolled), FeedOpened) == [FeedOpened(900_101, "paused")]
        assert cloud.records.counts.sockets_opened == opened
        after.resume()
        assert transports(told(inbox, FeedOpened)) == ["stream"]
        assert cloud.records.wait(lambda counts: counts.sockets_opened == opened + 1)
    assert feed_of(session, Inbox(), settings()).transport == "stream"


def pauses(folder, clock):
    return PauseControl(FeedReporter(7, Inbox()), StateFile(folder / "pause-7.json"), clock)


def test_a_pause_that_ended_while_nothing_ran_is_over(tmp_path):
    clock = FakeClock()
    pauses(tmp_path, clock).begin(600, silent=True)
    clock.advance(599)
    assert pauses(tmp_path, clock).current == Pause(clock.now().monotonic + 1, silent=True)
    clock.advance(1)
    assert pauses(tmp_path, clock).current is None


def test_after_a_clock_was_set_back_a_pause_is_no_longer_than_it_was_asked_for(tmp_path):
    clock = FakeClock()
    pauses(tmp_path, clock).begin(600, silent=False)
    clock.set_wall(clock.wall() - 86_400)
    assert pauses(tmp_path, clock).current == Pause(clock.now().monotonic + 600, silent=False)


@pytest.mark.parametrize("content", ["{", "{}", '{"begun": 1, "until": "x"}', '{"begun": 0, "until": 1e300}'])
def test_a_damaged_memory_of_a_pause_is_none_and_none_lasts_more_than_a_day(tmp_path, content):
    (tmp_path / "pause-7.json").write_text(content)
    present, now = pauses(tmp_path, FakeClock()).current, FakeClock().now()
    assert present is None or present.until == now.monotonic + 86_400


def test_a_pause_that_cannot_be_stored_is_a_pause_all_the_same(tmp_path, caplog):
    (tmp_path / "taken").write_text("")
    paused = pauses(tmp_path / "taken", FakeClock())
    paused.begin(600, silent=False)
    assert paused.current is not None
    assert "the pause cannot be stored" in caplog.text


def test_a_longer_pause_replaces_a_shorter_one(session, inbox, settings):
    feed = feed_of(session, inbox, settings())
    with running(feed):
        told(inbox, FeedOpened)
        began = time.monotonic()
        feed.pause(0.1, silent=True)
        feed.pause(0.6, silent=True)
        items = told(inbox, FeedOpened)
    assert time.monotonic() - began > 0.55
    assert transports(items) == ["paused", "paused", "stream"]


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

    with faulty_server(hang) as port:
        feed = feed_of(session, inbox, settings(url=f"ws://127.0.0.1:{port}", timeout_s=60))
        with running(feed):
            assert reached.wait(PATIENCE_S)
            feed.pause(3600, silent=False)
            items = told(inbox, UpdatePolled)
    assert transports(items) == ["paused"]
