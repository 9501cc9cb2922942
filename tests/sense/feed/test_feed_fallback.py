"""The transports of the feed, stream, poll and snapshot: what leads down and up."""

import logging

import pytest

from sense_mqtt.items import FeedChanged, FeedEnded, FeedLimited, FeedOpened, UpdatePolled
from tests.support.sense.feed_items import FEED, told, transports, updates
from tests.support.sense.sense_fixtures import feed_of, items_until, of_kind, running


@pytest.mark.parametrize("status", [429, 503, 403])
def test_refused_three_times_the_feed_polls(cloud, session, inbox, settings, status, caplog):
    cloud.faults.refuse(status, path=FEED)
    with caplog.at_level(logging.INFO), running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled, 2)
    assert transports(items) == ["poll"]
    assert of_kind(items, FeedChanged)[0].reason == f"the feed refused the connection (HTTP {status})"
    assert len(cloud.records.requests(FEED)) == 3
    assert of_kind(items, FeedOpened) == [FeedOpened(900_101, "poll")]
    assert of_kind(items, UpdatePolled)[0].payload["w"] > 0
    assert f"switched to poll: the feed refused the connection (HTTP {status})" in caplog.text


@pytest.mark.parametrize("status", [500, 502, 504, -1])
def test_an_outage_is_no_refusal(cloud, session, inbox, settings, status):
    cloud.faults.refuse(status, path=FEED, times=5)
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert not transports(items)


def test_a_websocket_that_does_not_come_leads_to_polling_which_may(cloud, session, inbox, settings):
    cloud.faults.refuse(-1, path=FEED)
    with running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled)
    assert transports(items) == ["poll"]
    assert len(cloud.records.requests(FEED)) == 6


def test_a_long_wait_for_the_websocket_is_spent_polling_and_reported(cloud, session, inbox, settings):
    cloud.faults.refuse(429, path=FEED, retry_after=600)
    with running(feed_of(session, inbox, settings(cooldown_first_s=0.01))):
        items = told(inbox, UpdatePolled, 3)
    assert transports(items) == ["poll"]
    reason = "the feed refused the connection (HTTP 429, asking us to wait 600 s)"
    assert of_kind(items, FeedLimited) == [FeedLimited(900_101, reason, 600.0)]
    assert len(cloud.records.requests(FEED)) == 1


def test_closed_within_seconds_three_times_the_feed_polls(cloud, session, inbox, settings):
    cloud.faults.close_after_s = 0.0
    with running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled)
    assert transports(items) == ["poll"]


def test_firmware_that_cannot_be_polled_leads_to_snapshots(cloud, session, inbox, settings):
    cloud.faults.old_firmware = True
    cloud.faults.refuse(429, path=FEED, times=3)
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 2)
    assert transports(items) == ["poll", "snapshot"]
    assert "older than 1.64" in of_kind(items, FeedChanged)[1].reason
    assert not cloud.records.requests("realtime_update")


def test_polling_that_answers_404_leads_to_snapshots(cloud, session, inbox, settings):
    cloud.faults.refuse(404, path="realtime_update", body="{}")
    cloud.faults.refuse(429, path=FEED, times=3)
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 2)
    assert transports(items) == ["poll", "snapshot"]


def test_sense_is_given_the_time_it_asks_for(cloud, session, inbox, settings):
    cloud.faults.refuse(429, path=FEED, times=1, retry_after=1)
    with running(feed_of(session, inbox, settings(mode="stream"))):
        told(inbox, FeedOpened)
    first, second = cloud.records.requests(FEED)
    assert second.monotonic - first.monotonic > 0.9


def test_snapshots_take_one_frame_each_and_hold_no_socket(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(mode="snapshot"))):
        items = items_until(inbox, lambda items: len(updates(items)) >= 3)
    assert cloud.records.counts.sockets_opened >= 3
    assert cloud.records.counts.sockets_most == 1
    assert transports(items) == []
    assert len(of_kind(items, FeedOpened)) == 1
    assert not of_kind(items, FeedEnded)


def test_stream_mode_goes_on_knocking(cloud, session, inbox, settings):
    cloud.faults.refuse(503, path=FEED, times=6)
    with running(feed_of(session, inbox, settings(mode="stream"))):
        items = items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert not transports(items)
