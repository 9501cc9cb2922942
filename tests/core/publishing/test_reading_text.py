"""How the value of a reading is written."""

from datetime import UTC, datetime

import pytest

from sense_mqtt.core.changes import Reading
from sense_mqtt.core.publishing.reading_text import payload_of

NOON = datetime(2026, 11, 21, 12, 0, 0, 500_000, UTC)


@pytest.mark.parametrize(
    ("reading", "payload"),
    [
        pytest.param(Reading(None, "power", 300.0), "300.0", id="a number has the decimals of its row"),
        pytest.param(Reading(None, "frequency", 59.998), "60.00", id="two for hertz"),
        pytest.param(Reading(None, "solar_share", 41.6), "42", id="none for a percentage"),
        pytest.param(Reading(None, "grid_power", -0.04), "0.0", id="a zero has no sign"),
        pytest.param(Reading("a", "power", 0), "0", id="an exact number has no decimals"),
        pytest.param(Reading("a", "state", value=True), "ON", id="a device that is on"),
        pytest.param(Reading("a", "state", value=False), "OFF", id="a device that is off"),
        pytest.param(Reading(None, "availability", value=True), "online", id="fresh data"),
        pytest.param(Reading(None, "availability", value=False), "offline", id="no fresh data"),
        pytest.param(Reading(None, "last_frame", NOON), "2026-11-21T12:00:00.500Z", id="a time"),
        pytest.param(Reading(None, "sky", "clear"), "clear", id="text as it is"),
        pytest.param(Reading(None, "solar_power", None), "", id="a value that is not known any more clears its topic"),
        pytest.param(
            Reading(None, "energy/day", {"consumption_kwh": 1.5, "updated": NOON}),
            '{"consumption_kwh":1.5,"updated":"2026-11-21T12:00:00.500Z"}',
            id="a document is JSON, with times as everywhere",
        ),
    ],
)
def test_a_value_is_written_as_its_row_of_the_table_says(reading, payload):
    assert payload_of(reading) == payload
