"""Ten days of a simulated house on the realtime feed: every meter beside the truth, settled and not."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sense_mqtt.simulator.house.model import Device
from tests.support.core.meter_claims import (
    DAY_S,
    HOUR_S,
    meters_of,
    shrinks,
    untrue_at_any_minute,
    untrue_when_settled,
)
from tests.support.core.realtime_trial import RealtimeTrial
from tests.support.core.trial import ZONE

pytestmark = pytest.mark.no_cover  # others cover all that these do

AUTUMN = datetime(2026, 11, 1, tzinfo=ZoneInfo(ZONE)).timestamp()  # a day of 25 hours
SPRING = datetime(2027, 3, 14, tzinfo=ZoneInfo(ZONE)).timestamp()  # a day of 23
KETTLE, MICROWAVE, PLUG, LAMP = "b4093e1d", "88d6f27b", "X4pTw8Lc", "ssi-2b7d41e9"
MERGED = Device("Qm3ZrT7a", "Kitchen", merged=(KETTLE, MICROWAVE))
AWAY_S = 30.0  # from the end of a process to the next


def live_ten_days(begins):
    """Ten days with outages, a change of clocks, restarts, kills, a merge, a split, a new id and another name."""
    trial = RealtimeTrial(begins)
    trial.run(20 * HOUR_S)
    trial.restart(killed=False, away_s=AWAY_S)
    trial.run(1 * DAY_S)
    trial.outage(5 * HOUR_S)
    trial.run(20 * HOUR_S)
    trial.restart(killed=True, away_s=AWAY_S)
    trial.run(0.6 * DAY_S)
    trial.silence(2 * HOUR_S)
    trial.house.merge(trial.now, MERGED)
    trial.list_devices()
    trial.run(1 * DAY_S)
    trial.house.change_id(trial.now, PLUG, "4xANDCuJ")
    trial.house.rename(trial.now, LAMP, "Standard lamp")
    trial.list_devices()
    trial.run(1.4 * DAY_S)
    trial.restart(killed=True, away_s=3 * HOUR_S)
    trial.run(1 * DAY_S)
    trial.outage(9 * HOUR_S)  # over a midnight
    trial.run(1 * DAY_S)
    trial.house.split(trial.now, MERGED.id)
    trial.list_devices()
    trial.run(begins + 10 * DAY_S - trial.now)
    trial.silence(3.5 * HOUR_S)  # Sense finishes three hours more, and the day that is over is settled
    return trial


@pytest.mark.long
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("change", [AUTUMN, SPRING], ids=["clocks back", "clocks forward"])
def test_of_ten_days_every_meter_is_within_two_percent_at_any_minute_and_exact_once_settled(change):
    trial = live_ten_days(change - 4 * DAY_S)
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
