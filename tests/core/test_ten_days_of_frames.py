"""Ten days of a simulated house on the realtime feed: every meter beside the truth, settled and not."""

import pytest

from tests.support.core.meter_claims import (
    HOUR_S,
    meters_of,
    shrinks,
    untrue_at_any_minute,
    untrue_when_settled,
)
from tests.support.core.realtime_trial import RealtimeTrial
from tests.support.core.ten_days import (
    AUTUMN,
    BEGINS_BEFORE_S,
    KETTLE,
    LAMP,
    MICROWAVE,
    PLUG,
    SPRING,
    live_ten_days,
)

pytestmark = pytest.mark.no_cover  # others cover all that these do

AWAY_S = 30.0  # from the end of a process to the next


@pytest.mark.long
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("change", [AUTUMN, SPRING], ids=["clocks back", "clocks forward"])
def test_of_ten_days_every_meter_is_within_two_percent_at_any_minute_and_exact_once_settled(change):
    trial = RealtimeTrial(change - BEGINS_BEFORE_S)
    live_ten_days(trial, away_s=AWAY_S, is_polled=False)
    meters = list(meters_of(trial))
    assert [fault for meter in meters for fault in shrinks(meter)] == []
    assert [fault for meter in meters for fault in untrue_at_any_minute(trial, meter)] == []
    last_hour = trial.begins + 243 * HOUR_S
    assert [fault for meter in meters for fault in untrue_when_settled(trial, meter, last_hour)] == []
    assert {device for device, _, _ in meters} >= {None, "always_on", "unknown", KETTLE, MICROWAVE, PLUG, LAMP}


def test_of_some_hours_every_meter_is_within_two_percent_at_any_minute():
    trial = RealtimeTrial(AUTUMN + 12 * HOUR_S)
    trial.run(2 * HOUR_S)
    meters = list(meters_of(trial))
    assert [fault for meter in meters for fault in shrinks(meter)] == []
    assert [fault for meter in meters for fault in untrue_at_any_minute(trial, meter)] == []
