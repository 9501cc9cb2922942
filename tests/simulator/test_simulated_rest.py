"""The simulated cloud's REST endpoints over real sockets."""

from datetime import UTC, datetime

import pytest
import requests

from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from sense_mqtt.simulator.server.tokens import totp
from tests.support.simulator.simulated_client import DEVICE_ID, Client

MONITOR = "app/monitors/900101/"
NOON = "2026-06-16T16:00:00"
ENDPOINTS = [
    (MONITOR + "devices", {}, list),
    (MONITOR + "devices/overview", {"include_merged": "true"}, {"devices", "device_data_checksum"}),
    (MONITOR + "devices/e2b8190c", {}, {"usage", "device"}),
    (MONITOR + "devices/always_on", {}, {"always_on", "usage"}),
    (MONITOR + "devices/unknown", {}, {"device"}),
    (MONITOR + "devices/solar", {}, {"device"}),
    (MONITOR + "status", {}, {"signals", "device_detection", "monitor_info"}),
    (MONITOR + "overview", {}, {"checksum", "monitor_overview"}),
    (MONITOR + "rate_zones", {}, {"historic", "present", "future"}),
    (MONITOR + "history/usage", {"scale": "DAY", "start": NOON}, {"consumption", "device_breakdown"}),
    (MONITOR + "history/usage/solar", {"scale": "WEEK", "start": NOON}, {"total", "breakdown"}),
    ("app/900101/realtime_update", {}, {"w", "devices"}),
    ("app/history/trends", {"monitor_id": 900101, "scale": "day", "start": NOON + ".000Z"}, {"steps", "consumption"}),
    ("app/history/usage", {"monitor_id": 900101, "granularity": "HOUR", "start": NOON, "frames": 9}, {"totals"}),
    ("app/history/comparisons", {"monitor_id": 900101}, {"avg_w"}),
    ("users/900201/timeline", {"n_items": 3}, {"items", "more_items", "sticky_items"}),
    ("public/monitors/environments", {}, list),
]
LOST = [
    "nowhere",
    "",
    "app/monitors/1/status",
    "app/monitors/x/status",
    MONITOR + "devices/zzz",
    "app/history/trends",
    "users/1/timeline",
]
WRONG = [
    (MONITOR + "history/usage", {"scale": "DECADE", "start": NOON}),
    (MONITOR + "history/usage", {"scale": "DAY"}),
    (MONITOR + "history/usage", {"scale": "DAY", "start": "noon"}),
    ("app/history/usage", {"monitor_id": 900101, "granularity": "FORTNIGHT", "start": NOON}),
    ("users/900201/timeline", {"prior_to_item": "yesterday"}),
]


@pytest.fixture(scope="module")
def still():
    """A cloud whose house stands still at noon, and a client that is logged in."""
    with SimulatedCloud(BuiltInHouse(1, begins=BEGINS + 43_200), clock_mode="manual") as cloud:
        client = Client(cloud)
        client.log_in()
        yield client


@pytest.mark.parametrize(("path", "query", "expected"), ENDPOINTS, ids=[case[0] for case in ENDPOINTS])
def test_endpoints(still, path, query, expected):
    answer = still.get(path, **query)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json(), list) if expected is list else expected <= answer.json().keys()


@pytest.mark.parametrize("path", LOST)
def test_unknown_paths_and_foreign_monitors_are_not_found(still, path):
    answer = still.get(path)
    assert (answer.status_code, answer.json()) == (404, {"status": "error", "error_reason": "Not Found"})


@pytest.mark.parametrize(("path", "query"), WRONG)
def test_wrong_parameters_are_reported(still, path, query):
    answer = still.get(path, **query)
    assert (answer.status_code, answer.json()["status"]) == (400, "error")


def test_login_tells_the_monitors_and_a_stale_server(still):
    body = still.log_in()
    assert body["authorized"] is True
    assert [(monitor["id"], monitor["time_zone"], monitor["online"]) for monitor in body["monitors"]] == [
        (900_101, "America/New_York", False)
    ]
    assert "mb1.home.sense.com" in body["bridge_server"]


def test_a_login_by_json_or_without_a_body_is_refused(still):
    account = {"email": still.cloud.email, "password": still.cloud.password}
    url = still.cloud.api_url + "authenticate"
    assert requests.post(url, json=account, timeout=9).status_code == 400
    assert requests.post(url, timeout=9).status_code == 400
    assert requests.post(url, params=account, data={"x": "y"}, timeout=9).status_code == 400


@pytest.mark.parametrize("scheme", ["bearer", "Bearer", "BEARER"])
def test_the_scheme_of_the_token_has_no_case(still, scheme):
    headers = {"Authorization": f"{scheme} {still.token}"}
    assert requests.get(still.cloud.api_url + MONITOR + "status", headers=headers, timeout=9).status_code == 200


@pytest.mark.parametrize("header", [{}, {"Authorization": "bearer t1.v2.a.b.c"}, {"Authorization": "Basic x"}])
def test_without_a_good_token_there_is_nothing(still, header):
    answer = requests.get(still.cloud.api_url + MONITOR + "status", headers=header, timeout=9)
    assert (answer.status_code, answer.json()["error_reason"]) == (401, "Unauthorized")


def test_merged_children_come_only_when_asked_for(still):
    counts = [len(still.get(MONITOR + "devices", **query).json()) for query in ({}, {"include_merged": "true"})]
    assert counts[1] == counts[0] + 2


def test_two_factor_login_needs_the_code_and_the_time(cloud):
    cloud.rules.mfa = True
    client = Client(cloud)
    asked = client.post("authenticate", email=cloud.email, password=cloud.password)
    assert asked.status_code == 401
    now = cloud.service.wall()
    form = {"totp": totp(cloud.totp_secret, now), "mfa_token": asked.json()["mfa_token"]}
    assert client.post("authenticate/mfa", **form).status_code == 400
    client_time = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = client.post("authenticate/mfa", **form, client_time=client_time)
    assert (answer.status_code, answer.json()["totp_enabled"]) == (200, True)


def test_renewal_rotates_over_http(client):
    body = client.log_in()
    form = {"user_id": str(body["user_id"]), "refresh_token": body["refresh_token"], "is_access_token": "true"}
    assert [client.post("renew", **form).status_code for _ in range(2)] == [200, 401]
    counts = client.cloud.records.counts
    assert (counts.renews, counts.renews_refused) == (1, 1)


def test_logging_out_ends_the_session(client):
    assert client.get("logout").status_code == 200
    assert client.get(MONITOR + "status").status_code == 401


def test_requests_are_recorded_without_secrets(client):
    client.get(MONITOR + "status", note="x")
    request = client.cloud.records.requests("status")[0]
    headers = dict(request.headers)
    assert (request.method, request.query, request.status, request.authorised) == ("GET", ("note",), 200, True)
    assert (headers["Authorization"], headers["x-sense-device-id"]) == ("bearer", DEVICE_ID)
    assert client.token not in repr(client.cloud.records.requests())
