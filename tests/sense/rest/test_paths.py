"""Which paths may be asked for."""

import pytest

from sense_mqtt.errors import CommandRefused
from sense_mqtt.sense.rest.paths import plain_path

GOOD = [
    ("app/monitors/123456/status", "app/monitors/123456/status"),
    ("/app/monitors/123456/status", "app/monitors/123456/status"),
    ("app/monitors/123456/devices/ssi-1f2e3d4c", "app/monitors/123456/devices/ssi-1f2e3d4c"),
    ("app/1.2/a_b~c", "app/1.2/a_b~c"),
    ("users/900201/timeline/", "users/900201/timeline/"),
    ("users/9/a:b", "users/9/a:b"),
]


@pytest.mark.parametrize(("path", "relative"), GOOD)
def test_a_plain_path_is_taken(path, relative):
    assert plain_path(path) == relative


BAD = [
    "",
    "/",
    "//evil.example/x",
    "///evil.example",
    "http://evil.example/",
    "https:evil.example",
    "HTTPS://evil.example",
    "javascript:alert",
    "app//status",
    "..",
    "../v2/x",
    "app/../../x",
    "app/..",
    "app/./x",
    "app/...",
    "app/%2e%2e/x",
    "app/%2E%2E%2fx",
    "app%2fx",
    "app\\..\\x",
    "\\\\evil.example",
    "app?x=1",
    "app#x",
    "app x",
    "app\nx",
    "app\r\nHost: evil.example",
    "app\tx",
    "app\x00x",
    " app",
    "äpp/x",
    "app/\u2025/x",  # a two dot leader, which some would fold into ".."
    "app/{monitor}",
    "@evil.example\\x",
    "app;x",
    "a" * 301,
]


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_may_lead_elsewhere_is_refused(path):
    with pytest.raises(CommandRefused) as refused:
        plain_path(path)
    assert refused.value.code == "bad_request"
