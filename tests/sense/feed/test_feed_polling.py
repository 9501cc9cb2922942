"""A feed that polls."""

from sense_mqtt.items import UpdatePolled
from tests.support.sense.feed_items import FEED, told, transports
from tests.support.sense.sense_fixtures import feed_of, running


def test_poll_mode_never_opens_a_websocket(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(mode="poll"))):
        items = told(inbox, UpdatePolled, 3)
    assert transports(items) == []
    assert not cloud.records.requests(FEED)


def test_a_limit_on_polling_is_kept_to(cloud, session, inbox, settings):
    cloud.faults.refuse(429, path="realtime_update", times=1, retry_after=1)
    with running(feed_of(session, inbox, settings(mode="poll"))):
        told(inbox, UpdatePolled)
    first, second = cloud.records.requests("realtime_update")
    assert second.monotonic - first.monotonic > 0.9


def test_a_status_that_is_missing_leaves_it_to_the_poll(cloud, session, inbox, settings):
    cloud.faults.refuse(404, path="status", body="{}")
    with running(feed_of(session, inbox, settings(mode="poll"))):
        told(inbox, UpdatePolled)
