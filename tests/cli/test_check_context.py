"""What the checks learn from the name server and the environment."""

import pytest

from sense_mqtt.cli.check.context import resolve, uses_proxy


@pytest.mark.enable_socket
def test_an_address_is_its_own_name():
    assert resolve("127.0.0.1") == ("127.0.0.1",)


PROXIES = [
    ("https://api.sense.com/", {"https": "http://proxy:3128"}, True),
    ("wss://clientrt.sense.com", {"https": "http://proxy:3128"}, True),
    ("https://api.sense.com/", {"http": "http://proxy:3128"}, False),
    ("https://api.sense.com/", {"https": "http://proxy:3128", "no": ".sense.com"}, False),
    ("https://api.sense.com/", {}, False),
]


@pytest.mark.parametrize(("url", "proxies", "expected"), PROXIES)
def test_a_proxy_is_what_the_environment_says(url, proxies, expected):
    assert uses_proxy(url, proxies) is expected
