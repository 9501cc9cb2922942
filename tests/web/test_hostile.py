"""Other sites in the same browser, and paths and bodies that mean harm."""

import socket

import pytest

from sense_mqtt.web.access import INGRESS, Access
from tests.support.core.builders import DRYER, listed
from tests.support.web.page_harness import JSON, PASSWORD, EventReader, ServedPage, WatchedHouse

NAMES = frozenset({"sense.example.com"})


# --- names (DNS rebinding)

OURS = [
    "127.0.0.1:8788",
    "[::1]:8788",
    "192.168.1.20",
    "localhost",
    "sense",
    "pi.local",
    "nas.lan.",
    "Sense.Example.com",
]
FOREIGN = [
    "evil.example",
    "sense.example.com.evil.example",
    "127.0.0.1.nip.io:8788",
    "",
    "a b",
    "[",
    "user@evil.example",
]


@pytest.mark.parametrize("host", OURS)
def test_the_page_answers_to_addresses_local_names_and_those_that_are_configured(host):
    assert Access(NAMES).refuse_host(host) is None


@pytest.mark.parametrize("host", FOREIGN)
def test_the_page_answers_to_no_name_that_others_can_register(host):
    assert Access(NAMES).refuse_host(host) is not None


def test_a_page_elsewhere_whose_name_was_made_to_lead_here_gets_nothing(page: ServedPage):
    answers = [page.ask(path, Host="evil.example").status for path in ("/", "/api/stream", "/metrics", "/health")]
    assert answers == [421] * 4


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n", 421, id="an address of another"),
        pytest.param(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n", 403, id="a way through to another"),
        pytest.param(b"GET / HTTP/1.0\r\n", 421, id="no name at all"),
    ],
)
def test_who_takes_the_page_for_a_proxy_gets_nothing(page: ServedPage, raw: bytes, status: int):
    with page.connect() as caller:
        caller.sendall(raw + b"Connection: close\r\n\r\n")
        assert caller.makefile("rb").readline().split()[1] == str(status).encode()


# --- other sites (CSRF)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "http://evil.example"}, id="another site"),
        pytest.param({"Origin": "null"}, id="a sandboxed frame"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, id="another port of this machine"),
        pytest.param({"Origin": "http://["}, id="no address at all"),
        pytest.param({"Sec_Fetch_Site": "cross-site"}, id="a browser says that it is another site"),
        pytest.param({"Content_Type": "text/plain"}, id="a form, which needs no leave of ours"),
    ],
)
def test_no_other_site_can_post_here(guarded: ServedPage, headers):
    assert guarded.post("/sign-in", {"password": PASSWORD}, **headers).status in (403, 415)


def test_what_is_posted_without_an_origin_is_refused(guarded: ServedPage):
    assert guarded.ask("/sign-in", "POST", {"password": PASSWORD}, **JSON).status == 403


def test_no_other_site_can_show_the_page_in_a_frame_or_run_scripts_in_it(page: ServedPage):
    for path in ("/", "/nothing", "/health"):
        headers = page.ask(path).headers
        assert "default-src 'none'; script-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


# --- Home Assistant's ingress


def test_behind_ingress_only_its_address_is_answered(house: WatchedHouse):
    with ServedPage(house, Access(ingress=True)) as served:
        assert served.ask("/").status == 403
    assert Access(ingress=True).refuse_peer(INGRESS) is None


def test_behind_ingress_any_name_does_and_home_assistant_may_show_the_page_in_its_frame():
    access = Access(ingress=True)
    assert access.refuse_host("home.example.com") is None
    assert "frame-ancestors 'self'" in access.headers["Content-Security-Policy"]
    own = {"Origin": "https://home.example.com", "Host": "172.30.33.1:8788", "X-Forwarded-Host": "home.example.com"}
    assert access.refuse_origin(own) is None
    assert access.refuse_origin({**own, "Sec-Fetch-Site": "same-origin", "X-Forwarded-Host": ""}) is None
    assert access.refuse_origin({**own, "X-Forwarded-Host": "other.example.com"}) is not None


# --- paths and bodies

TRAVERSALS = [
    "/static/../server.py",
    "/static/..%2fserver.py",
    "/static/..%252fserver.py",
    "/static/%2e%2e/state.py",
    "/static/..\\server.py",
    "/static//etc/passwd",
    "//etc/passwd",
    "/static/page.css%00.js",
    "/static/",
    "/..",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_to_another_file(page: ServedPage, path: str):
    with page.connect() as caller:
        caller.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: caller.recv(65_536), b""))
    assert b"404" in answer.split(b"\r\n")[0]
    assert b"root:" not in answer


def test_a_body_that_is_too_large_is_refused(guarded: ServedPage):
    assert guarded.post("/sign-in", {"password": "x" * 5_000}).status == 413


@pytest.mark.parametrize("body", ["", "[]", "{", '{"password": 7}', "null", "[" * 2_000])
def test_a_body_that_is_no_password_is_a_wrong_one(guarded: ServedPage, body: str):
    assert guarded.post("/sign-in", body).status == 403


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\x16\x03\x01\x00garbage\r\n\r\n", id="TLS"),
        pytest.param(b"GET\r\n\r\n", id="half a line"),
        pytest.param(b"GET / HTTP/9\r\n\r\n", id="a version that there is not"),
        pytest.param(b"\0" * 9_000, id="NULs"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 50_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: a\r\n" * 60_000, id="60,000 headers"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", id="two hosts"),
    ],
)
def test_garbage_ends_its_own_connection_alone_and_fills_no_log(page: ServedPage, raw: bytes, caplog):
    with page.connect() as caller:
        caller.sendall(raw)
        caller.shutdown(socket.SHUT_WR)
        while caller.recv(65_536):
            pass
    assert page.ask("/").status == 200
    assert [record.message for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


# --- names from Sense


def test_a_name_from_sense_is_json_text_and_no_script_is_made_of_it(house: WatchedHouse, page: ServedPage):
    name = '</script><img src=x onerror=alert(1)>\u2028"\r\nevent: bridge\n\n'
    house.see(listed({**DRYER, "name": name}), 0)
    house.show({**DRYER, "name": name}, at=1)
    with EventReader(page) as reader:
        now = reader.next("now")
    assert name.strip() in [device["name"].strip() for device in now["devices"]]
    names = ("start.js", "page.js", "plot.js", "bubbles.js", "sign-in.js")
    scripts = [page.ask(f"/static/{name}").text for name in names]
    assert not [
        word
        for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(")
        if word in "".join(scripts)
    ]
