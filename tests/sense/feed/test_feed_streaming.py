"""A feed that streams: frames, the handshake, drops, closing."""

import logging
import time

import pytest

from sense_mqtt.items import FeedEnded, FeedOpened
from tests.support.sense.feed_items import FEED, frames, told, transports, updates
from tests.support.sense.sense_fixtures import feed_of, items_until, running


def test_frames_arrive_as_they_were_sent(session, inbox, settings):
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 3)
    assert items[0] == FeedOpened(900_101, "stream")
    assert {item.monitor for item in frames(items)} == {900_101}
    assert all(isinstance(item.raw, bytes) for item in frames(items))


@pytest.mark.parametrize(("fault", "kind"), [("no_msgpack", str), ("binary_json", bytes), ("camel_case", bytes)])
def test_whatever_form_they_have(cloud, session, inbox, settings, fault, kind):
    setattr(cloud.faults, fault, True)
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert {type(item.raw) for item in frames(items)} == {kind}


def test_the_handshake_is_honest_and_keeps_the_token_out_of_the_address(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(device_id="abc"))):
        told(inbox, FeedOpened)
    request = cloud.records.requests(FEED)[0]
    headers = dict(request.headers)
    assert request.query == ()
    assert headers["Authorization"] == "bearer"
    assert headers["Accept"] == "application/x-msgpack"
    assert headers["User-Agent"].startswith("sense-mqtt/")
    assert headers["x-sense-device-id"] == "abc"
    assert "Origin" not in headers


def test_ten_drops_are_ten_reconnections_and_one_socket_at_a_time(cloud, session, inbox, settings, caplog):
    with (
        caplog.at_level(logging.INFO, "sense_mqtt.sense.feed.feed"),
        running(feed_of(session, inbox, settings(stable_messages=3))),
    ):
        for drop in range(10):
            items = items_until(inbox, lambda items: len(updates(items)) >= 5)
            assert not transports(items)
            cloud.drop_sockets(abort=drop % 2 == 1)
            told(inbox, FeedEnded)
        assert cloud.records.wait(lambda counts: counts.sockets_opened == 11)
    assert cloud.records.counts.sockets_most == 1
    assert not caplog.records  # drops are normal operation


def test_closing_is_quick_and_lets_go_of_the_socket(cloud, session, inbox, settings):
    feed = feed_of(session, inbox, settings())
    feed.start()
    told(inbox, FeedOpened)
    began = time.monotonic()
    feed.close()
    assert time.monotonic() - began < 3
    assert cloud.records.wait(lambda counts: counts.sockets_open == 0)
    assert told(inbox, FeedEnded)[-1] == FeedEnded(900_101, "stopping")


def test_a_feed_that_was_never_started_can_be_closed(session, inbox, settings):
    feed_of(session, inbox, settings()).close()
