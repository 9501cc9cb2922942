"""How the simulated cloud misbehaves over real sockets."""

from datetime import UTC, datetime

import pytest
import requests
import websocket

from sense_mqtt.simulator.house.builtin import BEGINS, RandomHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.simulator.simulated_client import ReceivedMessages, read, read_frames

STATUS = "app/monitors/900101/status"
OPENING_MESSAGES = 5


@pytest.fixture
def cloud():
    with SimulatedCloud(RandomHouse(8, 4, on_s=20, off_s=20), clock_mode="manual") as cloud:
        yield cloud


def opened(client, **how):
    socket = client.listen(**how)
    for _ in range(OPENING_MESSAGES):
        read(socket)
    return socket


def test_an_outage_answers_with_html(cloud, client):
    cloud.faults.refuse(502, times=1)
    answer = client.get(STATUS)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (502, "text/html")
    assert client.get(STATUS).status_code == 200


@pytest.mark.parametrize("retry_after", [None, "7", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_too_many_requests(cloud, client, retry_after):
    cloud.faults.refuse(429, path="status", retry_after=retry_after)
    answer = client.get(STATUS)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, retry_after)


def test_a_limit_a_minute_says_when_to_come_again(cloud, client):
    cloud.faults.rest_most_per_minute = 2
    answers = [client.get(STATUS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60


def test_a_hanging_request_is_never_answered_and_does_not_hold_up_the_end(cloud, client):
    cloud.faults.hang(path="status", times=1)
    with pytest.raises(requests.ReadTimeout):
        client.http.get(cloud.api_url + STATUS, timeout=0.3)


def test_a_cut_request_ends_without_an_answer(cloud, client):
    cloud.faults.cut(path="status", times=1)
    with pytest.raises(requests.ConnectionError):
        client.get(STATUS)
    assert client.get(STATUS).status_code == 200


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_refused_handshake(cloud, client, status):
    cloud.faults.refuse(status, path="realtimefeed", times=1)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        client.listen()
    assert refused.value.status_code == status
    assert opened(client).connected


def test_a_bad_token_is_refused_at_the_handshake(client):
    client.token = "t1.v2.no"
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        client.listen()
    assert refused.value.status_code == 401


@pytest.mark.parametrize("binary", [False, True])
def test_a_bad_token_may_be_reported_by_an_error_frame(cloud, client, binary):
    cloud.faults.token_error_as_frame = True
    client.token = "t1.v2.no"
    socket = client.listen(binary=binary)
    assert read(socket) == ("error", {"authorized": False, "error_reason": "Unauthorized"})
    assert socket.recv() in {"", b""}


def test_a_foreign_monitor_has_no_feed(client):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        client.listen(monitor=1)
    assert refused.value.status_code == 404


def test_silence_is_an_open_socket_without_frames(cloud, client):
    heard = ReceivedMessages(opened(client))
    cloud.faults.silent = True
    cloud.advance(30)
    cloud.faults.silent = False
    cloud.advance(0.5)
    cloud.drop_sockets()
    assert [frame["epoch"] for frame in heard.frames()] == [BEGINS + 30]


def test_an_offline_monitor_says_so_and_sends_nothing(cloud, client):
    cloud.faults.offline = True
    socket = client.listen()
    assert read(socket)[1] == {"online": False, "connection_state": "OFFLINE"}
    assert client.get(STATUS).json()["monitor_info"]["online"] is False
    cloud.advance(5)
    assert cloud.records.counts.frames_sent == 0


def test_sockets_may_close_within_seconds_or_frames(cloud, client):
    cloud.faults.close_after_frames = 3
    heard = ReceivedMessages(opened(client))
    cloud.advance(5)
    assert len(heard.frames()) == 2  # after the first one
    cloud.faults.clear()
    cloud.faults.close_after_s = 0.05
    assert opened(client).recv() in {"", b""}


def test_the_first_frame_may_be_an_old_one(cloud, client):
    cloud.advance(100)
    cloud.faults.cached_first_frame_s = 60.0
    assert read_frames(client.listen(), 1)[0]["epoch"] == BEGINS + 40


def test_old_monitors_speak_otherwise(cloud, client):
    cloud.faults.binary_json = cloud.faults.camel_case = cloud.faults.no_msgpack = True
    socket = client.listen(binary=True)
    assert socket.recv() == b'{"type": "hello"}'
    assert [read(socket)[0] for _ in range(2)] == ["MonitorInfo", "DataChange"]


def test_old_firmware_knows_no_realtime_update(cloud, client):
    assert client.get("app/900101/realtime_update").status_code == 200
    cloud.faults.old_firmware = True
    assert client.get("app/900101/realtime_update").status_code == 404
    assert client.get(STATUS).json()["monitor_info"]["version"].startswith("1.49.")


GONE = [
    ("trends_gone", "app/history/trends"),
    ("usage_gone", "app/monitors/900101/history/usage"),
]


@pytest.mark.parametrize(("switch", "path"), GONE)
def test_endpoints_go(cloud, client, switch, path):
    query = {"monitor_id": 900101, "scale": "DAY", "start": "2026-06-16T05:00:00"}
    assert client.get(path, **query).status_code == 200
    setattr(cloud.faults, switch, True)
    assert client.get(path, **query).status_code == 404


def test_a_home_without_solar_has_no_solar_history(client):
    query = {"scale": "DAY", "start": "2026-06-16T05:00:00"}
    assert client.get("app/monitors/900101/history/usage/solar", **query).status_code == 404


def test_a_garbled_frame_takes_the_place_of_a_true_one(cloud, client):
    heard = ReceivedMessages(opened(client))
    cloud.faults.send_malformed("unknown_type", "empty_devices")
    cloud.advance(1.5)
    cloud.drop_sockets()
    assert [kind for kind, _ in heard.all()] == ["recent_history", "realtime_update", "realtime_update"]
    assert [len(frame["devices"]) > 0 for frame in heard.frames()] == [False, True]
    assert cloud.records.counts.malformed_sent == 2


@pytest.mark.parametrize("abort", [False, True])
def test_dropped_sockets_are_gone(cloud, client, abort):
    socket = opened(client)
    cloud.drop_sockets(abort=abort)
    if abort:
        with pytest.raises(OSError, match="reset"):
            socket.recv()
    else:
        assert socket.recv() in {"", b""}
    assert cloud.records.counts.sockets_open == 0


def test_transitions_of_an_outage_are_on_the_timeline(cloud, client):
    cloud.advance(5)
    cloud.outage(120)
    true = {item.device for item in cloud.house.transitions(BEGINS, BEGINS + 123)}
    items = client.get("users/900201/timeline", n_items=1000).json()["items"]
    assert {item["device_id"] for item in items} == true
    assert len(true) > 5


def test_any_message_can_be_pushed(cloud, client):
    socket = opened(client)
    cloud.push("data_change", None)
    assert read(socket) == ("data_change", None)


def test_the_clouds_clock_may_be_off(cloud, client):
    cloud.faults.clock_offset_s = 86_400.0
    assert client.get(STATUS).status_code == 401  # the token has expired by then
    told = client.get(STATUS).headers["Date"]
    assert datetime.strptime(told, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).timestamp() == pytest.approx(
        cloud.service.wall(), abs=60
    )


def test_pings_may_stay_unanswered(cloud, client):
    socket = opened(client)
    socket.ping("a")
    assert socket.recv_data_frame(control_frame=True)[1].data == b"a"
    cloud.faults.no_pongs = True
    socket.ping("b")
    socket.settimeout(0.3)
    with pytest.raises(websocket.WebSocketTimeoutException):
        socket.recv_data_frame(control_frame=True)
