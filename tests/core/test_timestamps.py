"""Instants as text."""

import pytest

from sense_mqtt.core.timestamps import read_timestamp, write_timestamp

WRITTEN = [
    pytest.param(1795287600.5, "2026-11-21T19:00:00.500Z", id="as the contract shows it"),
    pytest.param(1795287600, "2026-11-21T19:00:00.000Z", id="a whole second"),
    pytest.param(1795287600.0009, "2026-11-21T19:00:00.001Z", id="rounded, not cut off"),
    pytest.param(1795287599.9996, "2026-11-21T19:00:00.000Z", id="rounded up into the next second"),
    pytest.param(1795287600.001, "2026-11-21T19:00:00.001Z", id="one millisecond survives the float"),
    pytest.param(-5.0, "1970-01-01T00:00:00.000Z", id="before 1970"),
    pytest.param(1e14, "9999-12-31T23:59:59.000Z", id="after 9999"),
]


@pytest.mark.parametrize(("seconds", "text"), WRITTEN)
def test_instants_are_written_as_the_contract_has_it(seconds, text):
    assert write_timestamp(seconds) == text


READ = [
    pytest.param("2026-11-21T19:00:00.500Z", 1795287600.5, id="UTC by Z"),
    pytest.param("2026-11-21T20:00:00+01:00", 1795287600.0, id="with a zone"),
    pytest.param("2026-11-21T19:00:00", 1795287600.0, id="without a zone"),
    pytest.param("0001-01-01T00:00:00+14:00", -62135647200.0, id="the first day, east of Greenwich"),
    pytest.param("9999-12-31T23:59:59-12:00", 253402343999.0, id="the last day, west of it"),
    pytest.param("yesterday", None, id="no instant"),
    pytest.param("", None, id="empty"),
    pytest.param("2026-13-40T00:00:00Z", None, id="no such day"),
    pytest.param("\ud800", None, id="half a surrogate pair"),
    pytest.param(1795287600, None, id="a number"),
    pytest.param(None, None, id="nothing"),
]


@pytest.mark.parametrize(("text", "seconds"), READ)
def test_instants_are_read_or_none(text, seconds):
    assert read_timestamp(text) == seconds
