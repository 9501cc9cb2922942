"""A feed whose token is refused, or that has none."""

import pytest

from sense_mqtt.items import FeedChanged, UpdatePolled
from tests.support.sense.feed_items import FEED, told, transports, updates
from tests.support.sense.sense_fixtures import feed_of, items_until, known, of_kind, running, session_of


@pytest.mark.parametrize("as_frame", [False, True], ids=["as HTTP 401", "as a message"])
@pytest.mark.parametrize("no_msgpack", [False, True], ids=["msgpack", "JSON"])
def test_a_refused_token_is_renewed(cloud, session, inbox, settings, as_frame, no_msgpack):
    cloud.faults.token_error_as_frame, cloud.faults.no_msgpack = as_frame, no_msgpack
    session.token()
    cloud.account.expire_access_tokens()
    cloud.rules.token_life_s = 7200  # so that the next token differs even within the same second
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert not transports(items)
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_fresh_tokens_that_are_refused_are_a_refusal(cloud, session, inbox, settings):
    cloud.faults.refuse(401, path=FEED, body="{}")
    with running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled)
    assert transports(items) == ["poll"]
    assert of_kind(items, FeedChanged)[0].reason == "the feed refused the access token (HTTP 401), though it is fresh"
    assert len(cloud.records.requests(FEED)) == 4
    assert cloud.records.counts.logins == 1


def test_the_feed_waits_for_a_person_and_goes_on_by_itself(cloud, tmp_path, inbox, settings):
    parked = session_of(cloud, tmp_path, credentials=known(cloud, password="wrong"))
    with running(feed_of(parked, inbox, settings(login_check_s=0.05))):
        assert cloud.records.wait(lambda counts: counts.login_attempts == 1)
        session_of(cloud, tmp_path).log_in(cloud.email, cloud.password, lambda: "")
        items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert cloud.records.counts.login_attempts == 2


def test_a_greeting_does_not_make_a_refused_token_a_good_one(cloud, session, inbox, settings):
    cloud.faults.token_error_as_frame = cloud.faults.greets_first = cloud.faults.feed_takes_no_token = True
    with running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled)
    assert transports(items) == ["poll"]
    assert cloud.records.counts.renews < 6
