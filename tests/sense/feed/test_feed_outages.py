"""A feed in an outage: no login, and few words."""

import logging

from tests.support.sense.feed_items import FEED, updates
from tests.support.sense.sense_fixtures import feed_of, items_until, running


def test_an_outage_of_everything_costs_no_login(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(silence_timeout_s=0.5, stable_messages=3, cooldown_first_s=0.2))):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
        cloud.rules.token_life_s = 1
        for status in (503, 500, 429, -1, 200):
            cloud.faults.refuse(status, retry_after=1 if status == 429 else None)
            cloud.drop_sockets()
            before = cloud.records.counts.requests
            assert cloud.records.wait(lambda counts, before=before: counts.requests > before + 2)
            cloud.faults.clear()
        items_until(inbox, lambda items: len(updates(items)) >= 3)
    assert cloud.records.counts.login_attempts == 1
    assert cloud.records.counts.sockets_most == 1


def test_a_failure_is_reported_once_and_so_is_its_end(cloud, session, inbox, settings, caplog):
    cloud.faults.refuse(502, path=FEED, times=5)
    with (
        caplog.at_level(logging.INFO, "sense_mqtt.sense.feed.reporter"),
        running(feed_of(session, inbox, settings(stable_messages=3))),
    ):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "feed of monitor 900101: the feed is not well (HTTP 502); trying again"),
        ("INFO", "feed of monitor 900101: back after 5 failed attempts"),
    ]
