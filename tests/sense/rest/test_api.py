"""Sense's REST interface, against the simulated cloud."""

import gc
import http.client
import logging
import re
import threading

import pytest

from sense_mqtt import __version__
from sense_mqtt.errors import (
    CommandRefused,
    LoginRefused,
    NotFound,
    RateLimited,
    RequestRefused,
    SenseMqttError,
    SenseUnavailable,
    TokenRefused,
)
from sense_mqtt.sense.rest.responses import SenseOverloaded
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.sense.sense_fixtures import (
    STATUS,
    FakeClock,
    api_at,
    api_of,
    faulty_server,
    fixed_response,
)

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def cloud():
    with SimulatedCloud(BuiltInHouse(seed=1), clock_mode="manual") as cloud:
        yield cloud


def token(api, cloud):
    return api.post("authenticate", {"email": cloud.email, "password": cloud.password})["access_token"]


def test_a_login_and_a_question(cloud):
    api = api_of(cloud)
    assert api.get(STATUS, token=token(api, cloud))["monitor_info"]["online"] is True


def test_parameters_reach_sense(cloud):
    api = api_of(cloud)
    answer = api.get("users/900201/timeline", {"n_items": 3}, token=token(api, cloud))
    assert len(answer["items"]) <= 3
    assert cloud.records.requests("timeline")[0].query == ("n_items",)


def test_we_say_who_we_are(cloud):
    api = api_of(cloud)
    api.get(STATUS, token=token(api, cloud))
    for request in cloud.records.requests():
        headers = dict(request.headers)
        assert headers["User-Agent"].startswith(f"sense-mqtt/{__version__} ")
        assert headers["x-sense-device-id"] == "testdevice"
    assert dict(cloud.records.requests(STATUS)[0].headers)["Authorization"] == "bearer"


FAULTS = [
    (400, '{"status": "error", "error_reason": "Bad"}', RequestRefused),
    (401, '{"status": "error", "error_reason": "No"}', TokenRefused),
    (403, '{"status": "error", "error_reason": "No"}', TokenRefused),
    (404, '{"status": "error", "error_reason": "Not Found"}', NotFound),
    (429, None, RateLimited),
    (500, None, SenseOverloaded),
    (503, '{"status": "error"}', SenseOverloaded),
    (200, None, SenseUnavailable),  # an HTML page of a proxy
    (-1, None, SenseUnavailable),  # cut
]


@pytest.mark.parametrize(("status", "body", "kind"), FAULTS)
def test_each_fault_has_one_reaction(cloud, status, body, kind):
    api = api_of(cloud)
    good = token(api, cloud)
    cloud.faults.refuse(status, path="status", body=body)
    with pytest.raises(kind) as refused:
        api.get(STATUS, token=good)
    assert type(refused.value) is kind
    assert good not in str(refused.value)
    assert len(cloud.records.requests(STATUS)) <= 1  # nothing is tried twice


def test_no_answer_in_time_is_an_outage(cloud):
    api = api_of(cloud, timeout_s=0.3)
    cloud.faults.hang(path="status")
    with pytest.raises(SenseUnavailable, match=r"no whole answer to get within 0\.3 s"):
        api.get(STATUS, token="x")


def test_a_path_that_leads_elsewhere_is_not_asked_for(cloud):
    api = api_of(cloud)
    with pytest.raises(CommandRefused):
        api.get("//evil.example/x", token="t")
    assert cloud.records.counts.requests == 0


def test_after_a_429_we_keep_still_until_the_time_is_over(cloud):
    clock = FakeClock()
    api = api_of(cloud, clock)
    cloud.faults.refuse(429, path="status", times=1, retry_after=120)
    with pytest.raises(RateLimited):
        api.get(STATUS, token="x")
    clock.advance(100)
    with pytest.raises(RateLimited, match="20 s are left") as limited:
        api.get(STATUS, token="x")
    assert limited.value.retry_after_s == pytest.approx(20)
    assert len(cloud.records.requests(STATUS)) == 1
    clock.advance(21)
    with pytest.raises(TokenRefused):
        api.get(STATUS, token="x")


def test_an_outage_that_says_when_to_come_back_is_believed(cloud):
    api = api_of(cloud, FakeClock())
    cloud.faults.refuse(503, path="status", retry_after=30)
    with pytest.raises(SenseOverloaded):
        api.get(STATUS, token="x")
    with pytest.raises(RateLimited):
        api.get(STATUS, token="x")


def test_calls_of_the_last_hour_are_counted(cloud):
    clock = FakeClock()
    api = api_of(cloud, clock)
    for _ in range(3):
        with pytest.raises(TokenRefused):
            api.get(STATUS, token="x")
    assert api.calls_last_hour == 3
    clock.advance(3601)
    assert api.calls_last_hour == 0


def test_nothing_is_asked_once_we_are_closing(cloud):
    closing = threading.Event()
    api = api_of(cloud, closing=closing, spacing_s=60)
    with pytest.raises(TokenRefused):
        api.get(STATUS, token="x")
    threading.Timer(0.1, closing.set).start()
    with pytest.raises(SenseUnavailable, match="shutting down"):
        api.get(STATUS, token="x")
    with pytest.raises(SenseUnavailable, match="shutting down"):
        api.wait(60)
    assert len(cloud.records.requests(STATUS)) == 1


@pytest.mark.parametrize("off_s", [-3600, 0, 90])
def test_senses_clock_is_compared_with_ours(cloud, off_s):
    cloud.faults.clock_offset_s = off_s
    api = api_of(cloud)
    with pytest.raises(TokenRefused):
        api.get(STATUS, token="x")
    assert api.clock_error_s == pytest.approx(off_s, abs=3)


def test_a_deadline_leaves_no_thread_behind(cloud):
    api = api_of(cloud)
    for _ in range(5):
        with pytest.raises(TokenRefused):
            api.get(STATUS, token="x")
    gc.collect()
    assert cloud.records.wait(lambda counts: counts.requests == 5)
    for thread in threading.enumerate():
        if thread.name == "sense-deadline":
            thread.join(10)
            assert not thread.is_alive()


def test_an_error_of_the_library_never_leaves_the_door():
    assert not issubclass(http.client.HTTPException, SenseMqttError)
    with faulty_server(fixed_response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")) as port:
        with pytest.raises(SenseUnavailable) as refused:
            api_at(f"http://127.0.0.1:{port}/").get("x", token="hush-token")
        assert "hush" not in str(refused.value)


def test_each_call_is_one_line_at_debug_without_its_parameters_and_forms(cloud, caplog):
    caplog.set_level(logging.DEBUG, "sense_mqtt.sense")
    api = api_of(cloud)
    with pytest.raises(LoginRefused):
        api.post("authenticate", {"email": "someone@example.com", "password": "wrong"})
    token = api.post("authenticate", {"email": cloud.email, "password": cloud.password})["access_token"]
    api.get("app/monitors/900101/devices", {"include_merged": "true"}, token=token)
    cloud.faults.cut(path="status", times=1)
    with pytest.raises(SenseUnavailable):
        api.get("app/monitors/900101/status", token=token)
    told = [re.sub(r"\d+ ms", "N ms", record.getMessage()) for record in caplog.records]
    assert told[1:3] == ["POST authenticate: HTTP 200 in N ms", "GET app/monitors/900101/devices: HTTP 200 in N ms"]
    assert told[0].startswith("POST authenticate: HTTP 401 in N ms: Sense refused the login")
    assert told[3].startswith("GET app/monitors/900101/status: no answer in N ms: the connection to 127.0.0.1")
    assert len(told) == 4
