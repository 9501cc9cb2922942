"""How the bridge stands: what is told of login and feeds, and when the timeline is worth asking."""

import json

import pytest

from sense_mqtt.bridge.health import read_rss_mb
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.errors import LoginRefused, RateLimited
from sense_mqtt.items import AuthChanged, FeedChanged, FeedEnded, FeedLimited, FeedOpened, FrameArrived
from sense_mqtt.sense.auth.tokens import Monitor
from tests.support.bridge.bridge_harness import HOUSE, BridgeHarness
from tests.support.core.builders import DRYER, PSEUDO, START


@pytest.fixture
def bridge(tmp_path):
    bridge = BridgeHarness(tmp_path, HOUSE, Monitor(8))
    bridge.begin()
    return bridge


AUTHS = [
    pytest.param(["ok"], [], id="all is well"),
    pytest.param(["unavailable", "ok"], [], id="an outage needs no person"),
    pytest.param(["auth_required", "ok"], ["auth_required", "auth_ok"], id="a person was needed"),
    pytest.param(["auth_required", "auth_required", "ok"], ["auth_required", "auth_ok"], id="told once"),
    pytest.param(["auth_required", "unavailable", "ok"], ["auth_required", "auth_ok"], id="an outage on the way back"),
    pytest.param(
        ["auth_required", "unavailable", "auth_required", "ok"],
        ["auth_required", "auth_ok"],
        id="an outage in between is not told as a new refusal",
    ),
    pytest.param(["auth_required", "ok", "auth_required"], ["auth_required", "auth_ok", "auth_required"], id="again"),
]


@pytest.mark.parametrize(("auths", "told"), AUTHS)
def test_that_a_person_is_needed_is_reported_once_and_that_it_is_mended_too(bridge, auths, told):
    bridge.take(*(AuthChanged(auth, "why") for auth in auths))
    assert bridge.bridge_events() == told
    assert bridge.documents("bridge/health")[-1]["auth"] == auths[-1]


def test_each_feed_is_reported_and_of_several_the_worst(bridge):
    def feeds():
        return bridge.health["feed"], bridge.health["feeds"]

    assert feeds() == ("offline", {"7": "offline", "8": "offline"})
    bridge.show(at=1)
    assert feeds() == ("offline", {"7": "stream", "8": "offline"})
    bridge.take(FeedOpened(8, "poll"))
    bridge.show(at=1, monitor=8)
    assert feeds() == ("poll", {"7": "stream", "8": "poll"})
    bridge.take(FeedChanged(7, "paused", "for 600 s"))
    assert feeds() == ("paused", {"7": "paused", "8": "poll"})
    bridge.take(FeedChanged(7, "stream", "resumed"), FeedOpened(8, "stream"))
    assert feeds() == ("stream", {"7": "stream", "8": "stream"})


@pytest.mark.parametrize(
    ("what", "after_s"),
    [
        pytest.param([FeedEnded(7, "cut")], 47, id="nothing comes any more"),
        pytest.param([], 47, id="a socket stays silent"),
        pytest.param([FeedEnded(7, "no"), AuthChanged("auth_required", "no")], 47, id="a person must log in"),
        pytest.param([FrameArrived(7, '{"type": "hello", "payload": {"online": false}}')], 2, id="the monitor is off"),
    ],
)
def test_no_feed_is_reported_while_no_frames_come_and_one_is_as_soon_as_they_do(tmp_path, what, after_s):
    bridge = BridgeHarness(tmp_path)
    bridge.begin()
    bridge.show(at=1)
    bridge.pass_time(1)
    assert bridge.documents("bridge/health")[-1]["feeds"] == {"7": "stream"}
    bridge.take(*what)
    bridge.pass_time(after_s)
    for document in ("bridge/health", "bridge/info"):
        assert bridge.documents(document)[-1]["feed"] == "offline"
    bridge.open_feed()
    bridge.work()
    bridge.show(at=60)
    bridge.pass_time(1)
    for document in ("bridge/health", "bridge/info"):
        assert bridge.documents(document)[-1]["feed"] == "stream"


def test_before_a_feed_is_known_none_is_reported(tmp_path):
    bridge = BridgeHarness(tmp_path)
    bridge.connect()
    assert "feed" not in bridge.health
    assert "last_frame" not in bridge.health


def test_the_newest_frame_is_reported_also_where_it_was_polled(bridge):
    bridge.show(at=2)
    bridge.clock.after_s = 600.0
    bridge.poll({"w": 300.0, "devices": list(PSEUDO)})
    assert bridge.health["last_frame"] == write_timestamp(START + 600)


def test_info_names_version_start_monitors_and_the_configuration_without_secrets(bridge):
    info = bridge.documents("bridge/info")[-1]
    assert set(info) == {"version", "started", "monitors", "feed", "config"}
    assert info["monitors"] == [7, 8]
    assert "me@example.com" not in json.dumps(info)
    assert '"secret"' not in json.dumps(info)


def test_health_counts_from_the_start(bridge):
    started = bridge.health["uptime_s"]
    bridge.pass_time(100)
    health = bridge.health
    assert health["uptime_s"] == started + 100
    assert (health["rest_last_hour"], health["logins_last_hour"]) == (0, 0)
    assert set(health["queues"]) == {"retained", "events", "replies", "in_flight", "journal", "lookups"}


@pytest.mark.parametrize(
    ("transport", "gap", "may_miss"),
    [
        pytest.param("stream", False, False, id="a stream shows each edge"),
        pytest.param("stream", True, True, id="a stream that was cut"),
        pytest.param("poll", False, True, id="between polls"),
        pytest.param("snapshot", True, True, id="between snapshots"),
        pytest.param("paused", False, True, id="paused and polled"),
        pytest.param("paused", True, False, id="paused and silent: Sense is left alone"),
    ],
)
def test_the_timeline_is_worth_asking_where_edges_may_go_unseen(bridge, transport, gap, may_miss):
    bridge.show(DRYER, at=1)
    if gap:
        bridge.take(FeedEnded(7, "cut"))
    bridge.take(FeedChanged(7, transport, "why"))
    assert bridge.monitor(7).may_miss_edges is may_miss


def test_memory_is_not_reported_where_the_system_does_not_report_it(tmp_path):
    assert read_rss_mb(tmp_path / "nowhere") is None
    (tmp_path / "status").write_text("Name: x\nVmRSS:\t   20480 kB\n")
    assert read_rss_mb(tmp_path / "status") == 20.0
    (tmp_path / "other").write_text("Name: x\n")
    assert read_rss_mb(tmp_path / "other") is None


def test_a_limit_that_the_feed_or_a_request_meets_is_reported_once(bridge):
    bridge.take(FeedLimited(7, "HTTP 429", 300.0), FeedLimited(8, "HTTP 429", 0.0))
    bridge.session.responses["app/monitors/7/overview"] = RateLimited("wait 60 s", 60.0)
    bridge.ask("overview", {"monitor": 7})
    bridge.work()
    assert bridge.bridge_events() == ["rate_limited"]
    assert bridge.documents("bridge/event")[0]["retry_after_s"] == 300
    bridge.pass_time(601)
    bridge.take(FeedLimited(7, "HTTP 429", 300.0))
    assert bridge.bridge_events() == ["rate_limited", "rate_limited"]


def test_how_frames_come_is_reported_as_soon_as_it_is_known(tmp_path):
    bridge = BridgeHarness(tmp_path)
    bridge.begin()
    bridge.take(FeedOpened(7, "poll"))
    bridge.show(at=1)
    bridge.pass_time(1)
    assert bridge.documents("bridge/info")[-1]["feed"] == bridge.documents("bridge/health")[-1]["feed"] == "poll"


@pytest.mark.parametrize(("polled", "state"), [(False, "offline"), (True, "online")])
def test_in_a_pause_the_house_stays_online_only_as_long_as_a_frame_is_fresh_or_polls_come(tmp_path, polled, state):
    bridge = BridgeHarness(tmp_path)
    bridge.begin()
    bridge.show(at=2)
    bridge.take(FeedEnded(7, "paused"), FeedChanged(7, "paused", "for 600 s"))
    if polled:
        bridge.take(FeedOpened(7, "paused"))
        bridge.poll({"w": 300.0})
    bridge.pass_time(42)
    assert bridge.newest("sense/7/availability") == "online"
    bridge.pass_time(5)
    assert bridge.newest("sense/7/availability") == state
    assert bridge.documents("bridge/health")[-1]["feed"] == "paused"
    bridge.pass_time(20)
    bridge.take(FeedChanged(7, "stream", "the pause is over"))
    bridge.pass_time(2)
    assert bridge.newest("sense/7/availability") == state  # a poll of a minute ago is no sudden outage


def test_the_bridge_itself_shows_that_a_person_must_log_in_also_while_no_house_is_known(tmp_path):
    topic = "homeassistant/device/sense_mqtt_bridge_sense/config"
    bridge = BridgeHarness(tmp_path)
    bridge.connect()
    account, bridge.session.told = bridge.session.told, LoginRefused("no")
    bridge.take(AuthChanged("auth_required", "no"))
    told = json.loads(bridge.newest(topic))
    assert told["components"]["login"]["device_class"] == "problem"
    assert told["availability"] == [{"topic": "sense/bridge/state"}]
    bridge.restart()
    bridge.connect()
    assert bridge.newest(topic) is not None
    bridge.session.told = account
    bridge.work()
    assert bridge.newest(topic)
    assert "login" in json.loads(bridge.newest("homeassistant/device/sense_mqtt_7/config"))["components"]
