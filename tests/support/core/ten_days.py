"""What happens in the ten days of a trial: outages, a change of clocks, restarts, kills, a merge and a new id."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sense_mqtt.simulator.house.model import Device
from tests.support.core.meter_claims import DAY_S, HOUR_S
from tests.support.core.trial import ZONE, Trial


def midnight(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=ZoneInfo(ZONE)).timestamp()


AUTUMN, SPRING = midnight(2026, 11, 1), midnight(2027, 3, 14)  # the days of 25 and 23 hours
BEGINS_BEFORE_S = 4 * DAY_S  # the trial begins so long before one of these
KETTLE, MICROWAVE, PLUG, LAMP = "b4093e1d", "88d6f27b", "X4pTw8Lc", "ssi-2b7d41e9"
MERGED = Device("Qm3ZrT7a", "Kitchen", merged=(KETTLE, MICROWAVE))


def live_ten_days(trial: Trial, *, away_s: float, is_polled: bool) -> None:
    """Let ten days go by, `away_s` from the end of a process to the next.

    `is_polled`: from the second day on by polls; else there are a split and another name too.
    """
    trial.run(20 * HOUR_S)
    trial.restart(killed=False, away_s=away_s)
    trial.run(4 * HOUR_S)
    if is_polled:
        trial.poll()
    trial.run(20 * HOUR_S)
    trial.outage(5 * HOUR_S)
    trial.run(20 * HOUR_S)
    trial.restart(killed=True, away_s=away_s)
    trial.run(0.6 * DAY_S)
    trial.silence(2 * HOUR_S)
    trial.house.merge(trial.now, MERGED)
    trial.list_devices()
    trial.run(1 * DAY_S)
    trial.house.change_id(trial.now, PLUG, "4xANDCuJ")
    if not is_polled:
        trial.house.rename(trial.now, LAMP, "Standard lamp")
    trial.list_devices()
    trial.run(1.4 * DAY_S)
    trial.restart(killed=True, away_s=3 * HOUR_S)
    trial.run(1 * DAY_S)
    trial.outage(9 * HOUR_S)  # over a midnight
    if not is_polled:
        trial.run(1 * DAY_S)
        trial.house.split(trial.now, MERGED.id)
        trial.list_devices()
    trial.run(trial.begins + 10 * DAY_S - trial.now)
    trial.silence(3.5 * HOUR_S)  # Sense finishes three hours more, and the day that is over is settled
