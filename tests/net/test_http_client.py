"""What goes over the wire with a request: who sees which credentials, and in which form a URL."""

import ssl

import pytest

from sense_mqtt.net.http_client import HttpClient
from tests.support.sense.sense_fixtures import faulty_server, read_head

pytestmark = pytest.mark.enable_socket


def sent(url: str, monkeypatch: pytest.MonkeyPatch, proxy_login: str = "") -> list[str]:
    """Return the lines of the head that a server, or the proxy in its place, gets for such a URL."""
    heads = []

    def answer(connection, _over):
        heads.append(read_head(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with faulty_server(answer) as port:
        if proxy_login:
            monkeypatch.setenv("http_proxy", f"http://{proxy_login}@127.0.0.1:{port}")
        HttpClient(ssl.create_default_context()).send("GET", url.replace(":0/", f":{port}/"), {}, None, 5.0).close()
    return heads[0].decode().split("\r\n")


def test_user_and_password_of_a_url_are_a_header_and_no_part_of_the_request_line(monkeypatch):
    lines = sent("http://me%40home:p%3Ass@127.0.0.1:0/a?b=c#d", monkeypatch)
    assert lines[0] == "GET /a?b=c HTTP/1.1"
    assert "Authorization: Basic bWVAaG9tZTpwOnNz" in lines


def test_a_proxy_gets_its_own_login_and_a_url_without_credentials(monkeypatch):
    lines = sent("http://me:pass@hook.invalid/a?b=c", monkeypatch, proxy_login="us%40er:pw")
    assert lines[0] == "GET http://hook.invalid/a?b=c HTTP/1.1"
    assert "Proxy-Authorization: Basic dXNAZXI6cHc=" in lines


def test_a_host_beyond_ascii_is_asked_for_in_ascii(monkeypatch):
    assert sent("http://bücher.invalid/ü", monkeypatch, proxy_login="a:b")[0].startswith(
        "GET http://xn--bcher-kva.invalid/%C3%BC "
    )
