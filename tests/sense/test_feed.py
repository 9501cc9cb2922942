"""The realtime feed against the simulated cloud and against rude servers."""

import base64
import hashlib
import itertools
import json
import logging
import re
import threading
import time

import pytest
from sense_parts import (
    PATIENCE_S,
    feed_of,
    items_until,
    known,
    of_kind,
    read_head,
    rude_server,
    running,
    session_of,
)

from sense_mqtt.core.backoff import Backoff
from sense_mqtt.core.frames import RealtimeUpdate, decode
from sense_mqtt.inbox import FRAMES_WAITING_MOST, FeedChanged, FeedEnded, FeedOpened, FrameArrived, Inbox, UpdatePolled
from sense_mqtt.sense.feed import FeedSettings
from sense_mqtt.simulator.cloud import SimulatedCloud
from sense_mqtt.simulator.model import BEGINS, BuiltInHouse

FEED = "realtimefeed"
HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


@pytest.fixture
def cloud():
    with SimulatedCloud(BuiltInHouse(seed=1), speed=20) as cloud:
        yield cloud


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def session(cloud, tmp_path):
    return session_of(cloud, tmp_path)


@pytest.fixture
def settings(cloud, tmp_path):
    """Figures as of a hasty world."""

    def make(**more):
        quick = {"spacing_s": 0.02, "backoff": Backoff(0.02, 0.1, 0.01), "silence_timeout_s": 5.0, "timeout_s": 5.0}
        return FeedSettings(**{"state_dir": tmp_path, "url": cloud.feed_url, "poll_interval_s": 0.1, **quick, **more})

    return make


def frames(items):
    return of_kind(items, FrameArrived)


def updates(items):
    return [item for item in frames(items) if isinstance(decode(item.raw), RealtimeUpdate)]


def rungs(items):
    return [item.rung for item in of_kind(items, FeedChanged)]


def told(inbox, kind, count=1):
    return items_until(inbox, lambda items: len(of_kind(items, kind)) >= count)


# --- streaming


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
        caplog.at_level(logging.INFO, "sense_mqtt.sense.feed"),
        running(feed_of(session, inbox, settings(healthy_messages=3))),
    ):
        for drop in range(10):
            items = items_until(inbox, lambda items: len(updates(items)) >= 5)
            assert not rungs(items)
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


class StubbornInbox(Inbox):
    """Tells when it had no room."""

    def __init__(self):
        super().__init__()
        self.refused = threading.Event()

    def put_frame(self, item, patience_s=0.05):
        taken = super().put_frame(item, patience_s)
        if not taken:
            self.refused.set()
        return taken


def test_a_full_inbox_holds_the_frames_back_and_loses_none(tmp_path):
    with SimulatedCloud(BuiltInHouse(seed=1), pace="free", until=BEGINS + 120) as cloud:
        inbox = StubbornInbox()
        feed = feed_of(session_of(cloud, tmp_path), inbox, FeedSettings(tmp_path, url=cloud.feed_url))
        with running(feed):
            assert inbox.refused.wait(PATIENCE_S)
            assert len(inbox) <= FRAMES_WAITING_MOST + 3  # beside the frames what is told of session and feed
            items = items_until(
                inbox, lambda items: sum(b"realtime_update" in item.raw[:20] for item in frames(items)) == 240
            )
    measured = [decode(item.raw).epoch for item in updates(items)]
    assert measured == [BEGINS + second // 2 for second in range(240)]
    assert cloud.records.counts.sockets_opened == 1


def test_closing_does_not_wait_for_room_in_the_inbox(session, settings):
    inbox = StubbornInbox()
    feed = feed_of(session, inbox, settings())
    feed.start()
    assert inbox.refused.wait(PATIENCE_S)
    began = time.monotonic()
    feed.close()
    assert time.monotonic() - began < 3


# --- silence and rudeness


def test_silence_is_noticed(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(silence_timeout_s=1.0, healthy_messages=3))):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
        cloud.faults.silent = cloud.faults.no_pongs = True
        items = told(inbox, FeedEnded)
        assert of_kind(items, FeedEnded)[0].reason == "silent for 1 s"
        cloud.faults.silent = cloud.faults.no_pongs = False
        items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert cloud.records.counts.sockets_most == 1


def test_a_monitor_that_is_offline_is_no_refusal(cloud, session, inbox, settings):
    cloud.faults.offline = True
    with running(feed_of(session, inbox, settings(silence_timeout_s=0.3, refusals_most=1))):
        items = told(inbox, FeedEnded, 3)
    assert not rungs(items)


def test_a_socket_is_pinged(session, inbox, settings):
    pinged = threading.Event()

    def answer(connection, over):
        connection.sendall(HANDSHAKE + accept(read_head(connection)) + b"\r\n\r\n")
        while not over.is_set() and (received := connection.recv(6)):
            if received[0] & 0x0F == 9:
                pinged.set()

    with rude_server(answer) as port:
        quick = settings(url=f"ws://127.0.0.1:{port}", ping_interval_s=0.1)
        with running(feed_of(session, inbox, quick)):
            assert pinged.wait(PATIENCE_S)


def accept(head):
    """The answer to a websocket's key (RFC 6455 1.3)."""
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")  # noqa: S324 - as the standard has it
    return base64.b64encode(digest.digest())


def dribble_handshake(connection, over):
    read_head(connection)
    connection.sendall(b"HTTP/1.1 101 Switch")
    while not over.wait(0.02):
        connection.sendall(b"i")


def dribble_frame(connection, over):
    connection.sendall(HANDSHAKE + accept(read_head(connection)) + b"\r\n\r\n\x82\x7e\xff\xff")
    while not over.wait(0.02):
        connection.sendall(b"x")


def babble_pings(connection, over):
    connection.sendall(HANDSHAKE + accept(read_head(connection)) + b"\r\n\r\n")
    while not over.wait(0.02):
        connection.sendall(b"\x89\x00")


def say_nothing(connection, over):
    over.wait(PATIENCE_S)
    connection.close()


def huge_frame(connection, over):
    size = (1 << 40).to_bytes(8)
    connection.sendall(HANDSHAKE + accept(read_head(connection)) + b"\r\n\r\n\x82\x7f" + size)
    while not over.is_set():
        connection.sendall(b"x" * 100_000)


def say(answer):
    def behave(connection, _over):
        head = read_head(connection)
        connection.sendall(answer.replace(b"KEY", accept(head)))

    return behave


OPENED = HANDSHAKE + b"KEY\r\n\r\n"
RUDE = [
    ("dribbles the handshake", dribble_handshake, "did not open within"),
    ("dribbles a message", dribble_frame, "silent for"),
    ("sends pings only", babble_pings, "silent for"),
    ("says nothing", say_nothing, "(did not open within|cannot be reached)"),
    ("sends a frame without end", huge_frame, "(message of more|farewell)"),
    ("hangs up", say(b""), "cannot be reached"),
    ("is no web server", say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "cannot be reached"),
    ("gives a status that is none", say(b"HTTP/1.1\r\n\r\n"), "cannot be reached"),
    ("gives a header that is none", say(b"HTTP/1.1 101 x\r\nUpgrade\r\n\r\n"), "cannot be reached"),
    ("gives headers that are no text", say(b"HTTP/1.1 101 x\r\n\xff\xfe: \xff\r\n\r\n"), "cannot be reached"),
    ("gives the wrong key", say(HANDSHAKE + b"AAAA\r\n\r\n"), "cannot be reached"),
    ("sends us elsewhere", say(b"HTTP/1.1 302 x\r\nLocation: ws://127.0.0.1:9/\r\n\r\n"), "(302|cannot be reached)"),
    ("closes politely at once", say(OPENED + b"\x88\x02\x03\xf0"), "closed by Sense with code 1008"),
    ("closes without a reason", say(OPENED + b"\x88\x00"), "closed by Sense"),
    ("closes with half a code", say(OPENED + b"\x88\x01\x03"), "farewell"),
    ("sends reserved bits", say(OPENED + b"\xf2\x01x"), "farewell"),
    ("sends an unknown kind", say(OPENED + b"\x83\x01x"), "farewell"),
    ("continues what it never began", say(OPENED + b"\x80\x01x"), "farewell"),
    ("sends a ping that is too long", say(OPENED + b"\x89\x7e\x00\x80" + b"x" * 128), "farewell"),
]


@pytest.mark.parametrize(("behave", "reason"), [row[1:] for row in RUDE], ids=[row[0] for row in RUDE])
def test_the_feed_survives_a_server_that(session, inbox, settings, caplog, behave, reason):
    session.token()
    rude = {"timeout_s": 0.4, "silence_timeout_s": 0.4, "message_most_bytes": 1_000_000, "mode": "stream"}
    with rude_server(behave) as port, caplog.at_level(logging.DEBUG, "sense_mqtt.sense"):
        feed = feed_of(session, inbox, settings(url=f"ws://127.0.0.1:{port}", **rude))
        with running(feed):
            wait_for(lambda: len([record for record in caplog.records if "trying again" in record.message]) >= 2)
    complaints = [record for record in caplog.records if "trying again" in record.message]
    assert [record.levelname for record in complaints][:2] == ["WARNING", "DEBUG"]
    assert re.search(reason, complaints[0].message), complaints[0].message


def wait_for(is_so):
    ends = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends
        threading.Event().wait(0.01)


def test_text_that_is_no_text_is_brought_all_the_same(session, inbox, settings):
    with (
        rude_server(say(OPENED + b"\x81\x02\xff{")) as port,
        running(feed_of(session, inbox, settings(url=f"ws://127.0.0.1:{port}"))),
    ):
        items = told(inbox, FrameArrived)
    assert frames(items)[0].raw == "\ufffd{"


# --- tokens


@pytest.mark.parametrize("as_frame", [False, True], ids=["as HTTP 401", "as a message"])
@pytest.mark.parametrize("no_msgpack", [False, True], ids=["msgpack", "JSON"])
def test_a_refused_token_is_renewed(cloud, session, inbox, settings, as_frame, no_msgpack):
    cloud.faults.token_error_as_frame, cloud.faults.no_msgpack = as_frame, no_msgpack
    session.token()
    cloud.account.expire_access_tokens()
    cloud.rules.token_life_s = 7200  # so that the next token differs even within the same second
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert not rungs(items)
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_fresh_tokens_that_are_refused_are_a_refusal(cloud, session, inbox, settings):
    cloud.faults.refuse(401, path=FEED, body="{}")
    with running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled)
    assert rungs(items) == ["poll"]
    assert of_kind(items, FeedChanged)[0].reason == "the feed refused the access token (HTTP 401), though it is fresh"
    assert len(cloud.records.requests(FEED)) == 4
    assert cloud.records.counts.logins == 1


def test_the_feed_waits_for_a_person_and_goes_on_by_itself(cloud, tmp_path, inbox, settings):
    parked = session_of(cloud, tmp_path, credentials=known(cloud, password="wrong"))
    with running(feed_of(parked, inbox, settings(parked_check_s=0.05))):
        assert cloud.records.wait(lambda counts: counts.login_attempts == 1)
        session_of(cloud, tmp_path).log_in(cloud.email, cloud.password, lambda: "")
        items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert cloud.records.counts.login_attempts == 2


# --- the ladder


@pytest.mark.parametrize("status", [429, 503, 403])
def test_refused_three_times_the_feed_polls(cloud, session, inbox, settings, status, caplog):
    cloud.faults.refuse(status, path=FEED)
    with caplog.at_level(logging.INFO), running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled, 2)
    assert rungs(items) == ["poll"]
    assert of_kind(items, FeedChanged)[0].reason == f"the feed refused the connection (HTTP {status})"
    assert len(cloud.records.requests(FEED)) == 3
    assert of_kind(items, FeedOpened) == [FeedOpened(900_101, "poll")]
    assert of_kind(items, UpdatePolled)[0].payload["w"] > 0
    assert f"on to poll: the feed refused the connection (HTTP {status})" in caplog.text


@pytest.mark.parametrize("status", [500, 502, 504, -1])
def test_an_outage_is_no_refusal(cloud, session, inbox, settings, status):
    cloud.faults.refuse(status, path=FEED, times=8)
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert not rungs(items)


def test_closed_within_seconds_three_times_the_feed_polls(cloud, session, inbox, settings):
    cloud.faults.close_after_s = 0.0
    with running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled)
    assert rungs(items) == ["poll"]


def test_firmware_that_cannot_be_polled_leads_to_snapshots(cloud, session, inbox, settings):
    cloud.faults.old_firmware = True
    cloud.faults.refuse(429, path=FEED, times=3)
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 2)
    assert rungs(items) == ["poll", "snapshot"]
    assert "older than 1.64" in of_kind(items, FeedChanged)[1].reason
    assert not cloud.records.requests("realtime_update")


def test_polling_that_answers_404_leads_to_snapshots(cloud, session, inbox, settings):
    cloud.faults.refuse(404, path="realtime_update", body="{}")
    cloud.faults.refuse(429, path=FEED, times=3)
    with running(feed_of(session, inbox, settings())):
        items = items_until(inbox, lambda items: len(updates(items)) >= 2)
    assert rungs(items) == ["poll", "snapshot"]


def test_after_the_cool_down_the_websocket_is_tried_again(cloud, session, inbox, settings):
    cloud.faults.refuse(429, path=FEED, times=4)
    with running(feed_of(session, inbox, settings(cooldown_first_s=0.3, healthy_messages=3))):
        items = items_until(inbox, lambda items: len(updates(items)) >= 5)
    assert rungs(items) == ["poll", "stream", "poll", "stream"]
    opened = [item.rung for item in of_kind(items, FeedOpened)]
    assert opened == ["poll", "stream"] or opened == ["poll", "poll", "stream"]


def test_sense_is_given_the_time_it_asks_for(cloud, session, inbox, settings):
    cloud.faults.refuse(429, path=FEED, times=1, retry_after=1)
    with running(feed_of(session, inbox, settings())):
        told(inbox, FeedOpened)
    first, second = cloud.records.requests(FEED)
    assert second.monotonic - first.monotonic > 0.9


def test_snapshots_take_one_frame_each_and_hold_no_socket(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(mode="snapshot"))):
        items = items_until(inbox, lambda items: len(updates(items)) >= 3)
    assert cloud.records.counts.sockets_opened >= 3
    assert cloud.records.counts.sockets_most == 1
    assert rungs(items) == ["snapshot"]
    assert len(of_kind(items, FeedOpened)) == 1
    assert not of_kind(items, FeedEnded)


def test_poll_mode_never_opens_a_websocket(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(mode="poll"))):
        items = told(inbox, UpdatePolled, 3)
    assert rungs(items) == ["poll"]
    assert not cloud.records.requests(FEED)


def test_a_poll_that_fails_is_told_and_repeated(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(mode="poll"))):
        told(inbox, UpdatePolled)
        cloud.faults.refuse(502, path="realtime_update", times=2)
        items = items_until(inbox, lambda items: of_kind(items, FeedEnded) and of_kind(items, FeedOpened))
    assert rungs(items) == []


def test_a_limit_on_polling_is_kept_to(cloud, session, inbox, settings):
    cloud.faults.refuse(429, path="realtime_update", times=1, retry_after=1)
    with running(feed_of(session, inbox, settings(mode="poll"))):
        told(inbox, UpdatePolled)
    first, second = cloud.records.requests("realtime_update")
    assert second.monotonic - first.monotonic > 0.9


def test_stream_mode_goes_on_knocking(cloud, session, inbox, settings):
    cloud.faults.refuse(503, path=FEED, times=6)
    with running(feed_of(session, inbox, settings(mode="stream"))):
        items = items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert not rungs(items)


# --- outages


def test_an_outage_of_everything_costs_no_login(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(silence_timeout_s=0.5, healthy_messages=3, cooldown_first_s=0.2))):
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


def test_a_failure_is_told_once_and_so_is_its_end(cloud, session, inbox, settings, caplog):
    cloud.faults.refuse(502, path=FEED, times=5)
    with (
        caplog.at_level(logging.INFO, "sense_mqtt.sense.voice"),
        running(feed_of(session, inbox, settings(healthy_messages=3))),
    ):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "feed of monitor 900101: the feed is not well (HTTP 502); trying again"),
        ("INFO", "feed of monitor 900101: back after 5 failed attempts"),
    ]


# --- restarts


def test_two_processes_hold_one_socket(cloud, tmp_path, inbox, settings, caplog):
    other = Inbox()
    with running(feed_of(session_of(cloud, tmp_path), inbox, settings(healthy_messages=3))):
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


def test_a_restart_stays_on_its_rung_until_the_cool_down_is_over(cloud, session, inbox, settings):
    cloud.faults.refuse(429, path=FEED)
    with running(feed_of(session, inbox, settings())):
        told(inbox, UpdatePolled)
    with running(feed_of(session, inbox, settings())):
        items = told(inbox, UpdatePolled, 2)
    assert len(cloud.records.requests(FEED)) == 3
    assert items


def test_a_state_that_cannot_be_written_is_told_once(tmp_path, session, inbox, settings, caplog):
    session.token()
    (tmp_path / "feed-900101.json").mkdir()
    with running(feed_of(session, inbox, settings(healthy_messages=3))):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
    assert caplog.text.count("feed-900101.json") == 1


# --- pause


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


def test_a_status_that_is_missing_leaves_it_to_the_poll(cloud, session, inbox, settings):
    cloud.faults.refuse(404, path="status", body="{}")
    with running(feed_of(session, inbox, settings(mode="poll"))):
        told(inbox, UpdatePolled)


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
        "written_at",
    }
