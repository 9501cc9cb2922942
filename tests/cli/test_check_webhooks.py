"""`sense-mqtt check` and the webhooks: a connection, and nothing posted."""

import pytest

from sense_mqtt.cli.check.webhook_check import connect, describe_webhooks
from tests.support.webhooks.hook_server import hook_server

SECRET = "0123456789abcdef"


def refused(_host: str, _port: int) -> None:
    raise ConnectionRefusedError(111, "Connection refused")


def test_each_server_is_connected_to_by_host_and_port():
    asked = []
    urls = ["http://a/x", "https://b/x", "http://c:1880/x"]
    text, is_well = describe_webhooks(urls, lambda *place: asked.append(place), lambda _url: False)
    assert asked == [("a", 80), ("b", 443), ("c", 1880)]
    assert is_well
    assert text.count("its server takes connections; nothing was posted") == 3


def test_one_that_cannot_be_reached_is_told_without_its_url():
    assert describe_webhooks([f"http://a/{SECRET}"], refused, lambda _url: False) == (
        "webhooks.0: Connection refused; check its url, the network, and that its server runs",
        False,
    )


def test_one_behind_a_proxy_is_not_tested():
    text, is_well = describe_webhooks([f"http://a/{SECRET}"], refused, lambda _url: True)
    assert is_well
    assert text.startswith("webhooks.0: not tested")


def test_there_may_be_none():
    assert describe_webhooks([], refused, lambda _url: False) == ("none is configured", True)


@pytest.mark.enable_socket
def test_nothing_is_posted():
    with hook_server() as server:
        connect("127.0.0.1", server.port)
        assert server.posts == 0
