"""A feed that starts again: one socket, spacing, and what it remembers."""

import itertools
import json

from sense_mqtt.core.backoff import Backoff
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import FeedOpened, UpdatePolled
from tests.support.sense.feed_items import FEED, told, updates
from tests.support.sense.sense_fixtures import (
    feed_of,
    items_until,
    running,
    session_of,
    wait_for,
)


def test_two_processes_hold_one_socket(cloud, tmp_path, inbox, settings, caplog):
    other = Inbox()
    with running(feed_of(session_of(cloud, tmp_path), inbox, settings(stable_messages=3))):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
        with running(feed_of(session_of(cloud, tmp_path), other, settings())):
            wait_for(lambda: "another sense-mqtt holds the feed of this monitor" in caplog.text)
            assert len(other) == 0
    assert cloud.records.counts.sockets_most == 1


def test_restarts_in_quick_succession_are_spaced(cloud, session, inbox, settings):
    slow = settings(backoff=Backoff(first_s=1.0, most_s=60, least_s=0.5))
    for _ in range(4):
        feed = feed_of(session, inbox, slow)
        feed.start()
        told(inbox, FeedOpened)
        feed.close()
        cloud.records.wait(lambda counts: counts.sockets_open == 0)
    times = [request.monotonic for request in cloud.records.requests(FEED)]
    assert all(later - sooner > 0.45 for sooner, later in itertools.pairwise(times))


def test_a_restart_stays_with_its_transport_until_the_cool_down_is_over(cloud, session, inbox, settings):
    cloud.faults.refuse(429, path=FEED)
    with running(feed_of(session, inbox, settings())):
        told(inbox, UpdatePolled)
    with running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled, 2)
    assert len(cloud.records.requests(FEED)) == 3
    assert items


def test_a_state_that_cannot_be_written_is_reported_once(tmp_path, session, inbox, settings, caplog):
    session.token()
    (tmp_path / "feed-900101.json").mkdir()
    with running(feed_of(session, inbox, settings(stable_messages=3))):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
    assert caplog.text.count("feed-900101.json") == 1


def test_what_a_feed_remembers_holds_no_secret(session, inbox, settings, tmp_path):
    with running(feed_of(session, inbox, settings())):
        told(inbox, FeedOpened)
    assert set(json.loads((tmp_path / "feed-900101.json").read_text())) == {
        "rung",
        "failures",
        "refusals",
        "descents",
        "next_at",
        "climb_at",
        "barred_until",
        "written_at",
    }
