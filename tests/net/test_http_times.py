"""Date and Retry-After of an HTTP response."""

import pytest

from sense_mqtt.net.http_times import http_time, retry_after_s

NOW = http_time("Sat, 21 Nov 2026 19:00:00 GMT") or 0.0
WAITS = [
    ("120", 120),
    (" 5 ", 5),
    ("0", 1),
    ("90000", 3600),
    ("9" * 400, 3600),
    ("Sat, 21 Nov 2026 19:02:00 GMT", 120),
    ("Sat, 21 Nov 2026 18:00:00 GMT", 1),
    ("Sun, 22 Nov 2026 19:00:00 GMT", 3600),
    ("soon", 0),
    ("-5", 0),
    ("", 0),
    (None, 0),
]


@pytest.mark.parametrize(("header", "wait_s"), WAITS)
def test_retry_after_is_seconds_or_a_date_and_an_hour_at_most(header, wait_s):
    assert retry_after_s(header, NOW) == wait_s


@pytest.mark.parametrize("header", [None, "", "yesterday", "Sat, 99 Nov 2026 19:00:00 GMT"])
def test_a_header_that_is_no_date_gives_no_time(header):
    assert http_time(header) is None


def test_a_date_without_a_zone_is_utc():
    assert http_time("Sat, 21 Nov 2026 19:00:00") == NOW
