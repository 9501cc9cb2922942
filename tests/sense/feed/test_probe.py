"""A look at the feed, as polite as the feed itself."""

import pytest
from msgspec.structs import replace

from sense_mqtt.clock import SystemClock
from sense_mqtt.errors import LoginRefused, NotFound, SenseUnavailable, TokenRefused
from sense_mqtt.sense.auth.session import Credentials
from sense_mqtt.sense.feed.connection_errors import HandshakeRejected
from sense_mqtt.sense.feed.fallback import Fallback
from sense_mqtt.sense.feed.probe import FeedProbe
from sense_mqtt.sense.feed.saved_state import FeedStateFile
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.sense.sense_fixtures import session_of

pytestmark = pytest.mark.enable_socket

MONITOR = 900_101


@pytest.fixture
def cloud():
    with SimulatedCloud(BuiltInHouse(seed=1), speed=5) as cloud:
        yield cloud


@pytest.fixture
def settings(cloud, tmp_path):
    return FeedSettings(state_dir=tmp_path, url=cloud.feed_url, silence_timeout_s=5.0)


class Waits(list):
    """Nobody waits; it is written down."""

    def __call__(self, seconds):
        self.append(seconds)


@pytest.fixture
def waits():
    return Waits()


@pytest.fixture
def run(cloud, settings, waits):
    session = session_of(cloud, settings.state_dir)

    def once(wanted=settings):
        return FeedProbe(MONITOR, session, wanted, clock=SystemClock(), uniform=lambda _least, most: most).run(waits)

    return once


def remember(settings, *, rest_s=0.0, climb_s=0.0, **fallback):
    now = SystemClock().now()
    told = Fallback(**fallback, next_at=now.monotonic + rest_s, stream_retry_at=now.monotonic + climb_s)
    FeedStateFile(settings.state_dir, MONITOR).save(told, now)


def remembered(settings):
    return FeedStateFile(settings.state_dir, MONITOR).load(settings.rules(), SystemClock().now())


def test_one_frame_comes_by_a_websocket_that_is_closed_again(cloud, run):
    assert run() == "a frame came by websocket"
    assert cloud.records.wait(lambda counts: (counts.sockets_opened, counts.sockets_open) == (1, 0))


def test_a_feed_that_another_holds_is_left_alone(cloud, run, settings):
    with FeedStateFile(settings.state_dir, MONITOR).exclusive_lock():
        assert "a running bridge holds it" in run()
    assert cloud.records.counts.sockets_opened == 0


def test_a_short_rest_is_waited_for(run, settings, waits):
    remember(settings, rest_s=5.0, failures=2)
    assert run() == "a frame came by websocket"
    assert waits == [pytest.approx(5.0, abs=1.0)]


def test_a_look_leaves_what_the_feed_knows_as_it_was(run, settings):
    remember(settings, failures=2, rejections=1, fallbacks=1)
    run()
    after = remembered(settings)
    assert (after.failures, after.rejections, after.fallbacks) == (2, 1, 1)


def test_while_the_websocket_rests_for_long_a_frame_is_polled(cloud, run, settings):
    remember(settings, rest_s=100.0, failures=5)
    assert run() == "a frame came by polling, as the websocket rests"
    assert cloud.records.counts.sockets_opened == 0


def test_where_polling_is_the_transport_a_frame_is_polled(cloud, run, settings):
    remember(settings, transport="poll", climb_s=900.0)
    assert run() == "a frame came by polling"
    assert cloud.records.counts.sockets_opened == 0


def test_after_the_cool_down_the_websocket_is_tried_again(run, settings):
    remember(settings, transport="poll")
    assert run() == "a frame came by websocket"


def test_old_firmware_between_two_snapshots_is_not_asked(cloud, run, settings):
    cloud.faults.old_firmware = True
    remember(settings, transport="snapshot", rest_s=40.0, climb_s=900.0)
    assert run() == "the bridge asks again in 40 s; this firmware cannot be asked in between"


def test_old_firmware_whose_websocket_rests_is_a_failure(cloud, run, settings):
    cloud.faults.old_firmware = True
    remember(settings, rest_s=100.0, failures=5)
    with pytest.raises(SenseUnavailable, match=r"failed 5 times in a row and rests for (99|100) s; check again"):
        run()


def test_firmware_that_cannot_be_polled_fails_where_only_polling_is_wanted(cloud, run, settings):
    cloud.faults.old_firmware = True
    with pytest.raises(NotFound, match="cannot be polled: its firmware"):
        run(replace(settings, mode="poll"))


def test_a_refusal_counts_as_one_of_the_feeds(cloud, run, settings):
    cloud.faults.refuse(429, path="realtimefeed", retry_after=120)
    with pytest.raises(HandshakeRejected, match="HTTP 429"):
        run()
    after = remembered(settings)
    assert (after.transport, after.rejections) == ("poll", 1)
    assert after.retry_after_until - SystemClock().now().monotonic == pytest.approx(120, abs=2)


def test_a_silent_feed_is_a_failure(cloud, run, settings):
    cloud.faults.silent = True
    with pytest.raises(SenseUnavailable, match="5 s"):
        run()
    assert remembered(settings).failures == 1


@pytest.mark.parametrize("as_frame", [False, True], ids=["as HTTP 401", "as a message"])
def test_a_refused_token_is_renewed_and_tried_once_more(cloud, run, as_frame):
    cloud.faults.token_error_as_frame = as_frame
    run()  # logs in
    cloud.account.expire_access_tokens()
    cloud.rules.token_life_s = 7200  # so that the next token differs even within the same second
    assert run() == "a frame came by websocket"
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_a_fresh_token_that_is_refused_is_a_rejection(cloud, run, settings):
    cloud.faults.refuse(401, path="realtimefeed", body="{}")
    with pytest.raises(HandshakeRejected, match="though it is fresh"):
        run()
    assert (remembered(settings).rejections, cloud.records.counts.renews) == (1, 1)


def test_a_refused_token_is_renewed_even_where_no_second_attempt_is_due(cloud, run, settings, waits):
    run()
    cloud.account.expire_access_tokens()
    remember(settings, failures=9)
    with pytest.raises(TokenRefused):
        run()
    assert (cloud.records.counts.renews, len(waits)) == (1, 2)


def test_without_a_login_nothing_is_opened_nor_remembered(cloud, settings, waits):
    session = session_of(cloud, settings.state_dir, credentials=Credentials())
    with pytest.raises(LoginRefused):
        FeedProbe(MONITOR, session, settings, clock=SystemClock(), uniform=max).run(waits)
    assert remembered(settings).failures == 0
