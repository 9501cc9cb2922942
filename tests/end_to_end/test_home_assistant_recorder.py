"""The recorder of a real Home Assistant: its hourly statistics of the meters are what the house truly used.

The clock of Home Assistant's process runs SPEED times as fast, by libfaketime; nothing of Home Assistant is changed.
What the core publishes during hours of a simulated house is played to it at the times at which it was published.

Takes a quarter of an hour. Needs HOME_ASSISTANT_VENV, and libfaketime (`apt install libfaketime`, or LIBFAKETIME).
"""

import json
import math
import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from sense_mqtt.bridge.discovery import announce_home
from sense_mqtt.core.changes import Change, DeviceChanged, Reading
from sense_mqtt.core.home_assistant.discovery import DiscoveryOptions
from sense_mqtt.core.meters.state import SPARE_KWH
from sense_mqtt.core.payloads import write_json
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.topics import Topics
from tests.support.core.realtime_trial import RealtimeTrial
from tests.support.core.trial import MONITOR
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.home_assistant import FAKE_TIME, PROBE, PYTHON

HOUR_S = 3600.0
SPEED = 40
BEGINS = datetime(2026, 11, 1, 2, tzinfo=UTC).timestamp()  # 10 pm in New York; the clocks go back four hours later
STARTS = BEGINS - HOUR_S  # of Home Assistant's clock
HOURS = 6  # of the trial that count
MISSED, MADE_UP = (1, 2), 3  # hours with a crash and with an outage, and the one by whose end Sense has told of them
TOPICS = Topics("sense", "homeassistant")
METER = re.compile(rf"sense_mqtt_{MONITOR}(?:_(.+?))?_(consumption|production|from_grid|to_grid)_total")
LEAST_KWH = 0.003  # what is published has three digits
STEADY = (None, "always_on", "unknown")
HELD_KWH = LEAST_KWH + SPARE_KWH  # after a crash, of a device that seldom runs (docs/meters.md)
WITHIN = 0.01
CONFIGURATION = """
recorder:
  commit_interval: 1
automation:
  - alias: Clock
    triggers: [{trigger: time_pattern, seconds: "/20"}]
    actions: [{action: mqtt.publish, data: {topic: test/clock, payload: "{{ now().timestamp() }}"}}]
"""

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not here"),
    pytest.mark.skipif(not PYTHON.exists(), reason="HOME_ASSISTANT_VENV names no Home Assistant that was set up"),
    pytest.mark.skipif(not FAKE_TIME.exists(), reason=f"{FAKE_TIME} is not here: apt install libfaketime"),
]

Hours = dict[str, list[tuple[int, float]]]  # by unique id: number of the hour since BEGINS, kWh


class PublishedTrial(RealtimeTrial):
    """Hours of a house, with what is published for Home Assistant: (time, topic, payload)."""

    def __init__(self) -> None:
        self.published: list[tuple[float, str, str]] = []
        super().__init__(BEGINS)

    def keep(self, changes: Sequence[Change]) -> None:
        super().keep(changes)
        if any(isinstance(change, DeviceChanged) for change in changes):
            self._announce()
        kept = [each for each in changes if isinstance(each, Reading) and each.key in ("energy/total", "availability")]
        for message in to_messages(kept, HomeTopics(TOPICS, MONITOR, self.home.topic_ids)):
            self.published.append((self.now, message.topic, message.payload))

    def _announce(self) -> None:
        for message in announce_home(self.home, DiscoveryOptions("1", TOPICS)):
            payload = "" if message.payload is None else write_json(message.payload)
            self.published.append((self.now, message.topic, payload))


@pytest.fixture(scope="module")
def trial() -> PublishedTrial:
    """A bridge that is killed in the second hour, and is without the internet for half of the third."""
    trial = PublishedTrial()
    trial.run(1.25 * HOUR_S)
    trial.restart(killed=True)
    trial.run(1.0 * HOUR_S)
    trial.outage(0.5 * HOUR_S)
    trial.run((HOURS + 0.1) * HOUR_S - (trial.now - BEGINS))
    return trial


class Clock:
    """The clock of Home Assistant's process, as it told it when it had started; the house's is whole hours behind."""

    def __init__(self, listener: Listener) -> None:
        listener.wait_for(lambda heard: heard[-1].topic == "test/clock" if heard else False, "its clock", 400)
        started = float(listener.messages("test/clock")[-1].payload)
        self._ahead_s = started / SPEED - time.time()
        self.behind_s = max(0.0, math.ceil((started - BEGINS) / HOUR_S) * HOUR_S)

    def wait_until(self, at: float) -> None:
        """Return once it is so late at the house."""
        time.sleep(max(0.0, (at + self.behind_s) / SPEED - self._ahead_s - time.time()))


@contextmanager
def home_assistant(folder: Path, port: int) -> Iterator[None]:
    """Run a Home Assistant with a recorder, whose clock begins at STARTS."""
    (folder / "recorder.yaml").write_text(CONFIGURATION)
    (folder / "config").mkdir()
    given = ["--port", port, "--seconds", 999_999, "--config", folder / "config", "--yaml", folder / "recorder.yaml"]
    faked = {
        "TZ": "UTC",
        "LD_PRELOAD": str(FAKE_TIME),
        "FAKETIME": f"@{datetime.fromtimestamp(STARTS, UTC):%Y-%m-%d %H:%M:%S} x{SPEED}",
    }
    running = subprocess.Popen([str(part) for part in (PYTHON, PROBE, *given)], env={**os.environ, **faked})
    try:
        yield
    finally:
        running.kill()
        running.wait()


@pytest.fixture(scope="module")
def hours(trial: PublishedTrial, tmp_path_factory: pytest.TempPathFactory) -> Hours:
    """What Home Assistant's statistics say of each meter, hour by hour."""
    folder = tmp_path_factory.mktemp("recorder")
    with Mosquitto(folder) as broker, Listener(broker.port) as listener, home_assistant(folder, broker.port):
        clock = Clock(listener)
        listener.publish("sense/bridge/state", "online", retain=True)
        for at, topic, payload in trial.published:
            clock.wait_until(at)
            listener.publish(topic, payload, retain=True)
        clock.wait_until(BEGINS + (HOURS + 0.3) * HOUR_S)
    found = read_statistics(folder / "config")
    begins = BEGINS + clock.behind_s
    return {meter: [(round((start - begins) / HOUR_S), kwh) for start, kwh in told] for meter, told in found.items()}


def read_statistics(config: Path) -> dict[str, list[tuple[float, float]]]:
    """Return by unique id the start (s UTC) and kWh of each hour."""
    registry = json.loads((config / ".storage/core.entity_registry").read_text())
    entities = {entity["entity_id"]: entity["unique_id"] for entity in registry["data"]["entities"]}
    database = sqlite3.connect(config / "home-assistant_v2.db")
    rows = database.execute(
        "select statistic_id, start_ts, sum from statistics join statistics_meta on metadata_id = statistics_meta.id"
        " order by statistic_id, start_ts"
    ).fetchall()
    found: dict[str, list[tuple[float, float]]] = {}
    for (entity, _, before), (same, start, after) in pairwise(rows):
        if entity == same and METER.fullmatch(entities.get(entity, "")):
            found.setdefault(entities[entity], []).append((start, after - before))
    return found


def meter_of(unique_id: str) -> tuple[str | None, str]:
    """Return the device, None the house, and the figure."""
    matched = METER.fullmatch(unique_id)
    assert matched is not None
    return matched.group(1), f"{matched.group(2)}_kwh"


def least_kwh(unique_id: str) -> float:
    return LEAST_KWH if meter_of(unique_id)[0] in STEADY else HELD_KWH


def true_kwh(trial: PublishedTrial, unique_id: str, hour: int) -> float:
    device, figure = meter_of(unique_id)
    return trial.truth(device, figure, BEGINS + hour * HOUR_S, BEGINS + (hour + 1) * HOUR_S)


def test_each_hour_of_the_statistics_is_the_truth_within_one_percent(trial: PublishedTrial, hours: Hours):
    assert f"sense_mqtt_{MONITOR}_consumption_total" in hours
    for unique_id, told in hours.items():
        for hour, kwh in told:
            if hour not in (*MISSED, MADE_UP):
                true = true_kwh(trial, unique_id, hour)
                assert kwh == pytest.approx(true, rel=WITHIN, abs=least_kwh(unique_id)), (unique_id, hour)


def test_what_a_crash_and_an_outage_hid_is_made_up_once_sense_has_told_of_it(trial: PublishedTrial, hours: Hours):
    for unique_id, told in hours.items():
        by_hour = dict(told)
        if MISSED[0] in by_hour:  # else it began to run later
            kwh = sum(by_hour[hour] for hour in (*MISSED, MADE_UP))
            true = sum(true_kwh(trial, unique_id, hour) for hour in (*MISSED, MADE_UP))
            assert kwh == pytest.approx(true, rel=WITHIN, abs=least_kwh(unique_id)), unique_id


def test_no_hour_is_negative_and_none_has_more_than_was_used_in_it_and_hidden_before(
    trial: PublishedTrial, hours: Hours
):
    for unique_id, told in hours.items():
        hidden = sum(true_kwh(trial, unique_id, hour) for hour in MISSED)
        for hour, kwh in told:
            most = true_kwh(trial, unique_id, hour) + (hidden if hour == MADE_UP else 0.0)
            assert 0.0 <= kwh <= (1 + WITHIN) * most + least_kwh(unique_id), (unique_id, hour)
