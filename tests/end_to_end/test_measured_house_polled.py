"""A measured house, polled once a minute: every run that the timeline holds, however short, is told once."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.simulator.house.model import TrueTransition
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.faults.comparison import Conditions, compare, read
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import make_mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.polled_bridge_main import main as run_polled
from tests.support.simulator.measured_home import measured_home

POLL_S = 60.0
HOUR_S = 3_600
AFTERMATH_S = 900.0  # until the timeline has told of the last runs, and has been read
LATE_S = 3.0  # a poll shows an edge so long after it was made, at most
REPLAY_TIMEOUT_S = 600.0
AT_ONCE = "set_tcp_nodelay true"  # else acknowledgements take 40 ms, and every minute of the house waits for some


class PolledBridge(BridgeProcess):
    """A bridge in a process of its own, with the clock of a house that is polled."""

    def __init__(self, folder: Path, cloud: SimulatedCloud, broker_port: int) -> None:
        super().__init__(folder, configure(cloud, broker_port, feed={"mode": "poll", "poll_interval_s": POLL_S}))
        self._begins = cloud.now

    def _program(self) -> tuple[Any, ...]:
        return run_polled, str(self.config_file), str(self._begins), str(POLL_S)


def short_runs(transitions: Sequence[TrueTransition]) -> list[tuple[TrueTransition, TrueTransition]]:
    """Return the runs that are over before the next poll."""
    newest: dict[str, TrueTransition] = {}
    runs = []
    for transition in transitions:
        before = newest.get(transition.device)
        if before is not None and before.kind == "turned_on" and transition.at // POLL_S == before.at // POLL_S:
            runs.append((before, transition))
        newest[transition.device] = transition
    return runs


TIMELINES = [  # hours: first, number; of the timeline: clock offset, delay (s)
    pytest.param(13, 3, (3.0, 45.0), id="by another clock, and late"),
    pytest.param(0, 24, (3.0, 45.0), id="a day, by another clock, and late", marks=pytest.mark.long),
    pytest.param(0, 24, (0.0, 2.0), id="a day, prompt", marks=pytest.mark.long),
]


@pytest.mark.timeout(REPLAY_TIMEOUT_S + 60)
@pytest.mark.parametrize(("since", "hours", "timeline"), TIMELINES)
def test_every_run_of_a_polled_house_is_reported_once(
    tmp_path: Path, since: int, hours: int, timeline: tuple[float, float]
):
    offset_s, delay_s = timeline
    house = measured_home(tmp_path, since + hours + 2)
    house.begins += since * HOUR_S
    begins, ends = house.begins, house.begins + hours * HOUR_S
    cloud = SimulatedCloud(house, clock_mode="manual", poll_step_s=POLL_S, wall=lambda: cloud.now)
    cloud.timeline_settings.offset_s, cloud.timeline_settings.delay_s = offset_s, delay_s
    with (
        make_mosquitto(tmp_path, AT_ONCE) as broker,
        Listener(broker.port, "sense/+/device/+/event") as listener,
        cloud,
        PolledBridge(tmp_path, cloud, broker.port),
    ):
        assert cloud.monitor.wait_until(ends + AFTERMATH_S, REPLAY_TIMEOUT_S)
        came = [read(time.monotonic(), event) for event in listener.events()]
    truth = house.transitions(begins + POLL_S, ends)
    optional = [*house.transitions(begins, begins + POLL_S), *house.transitions(ends, cloud.now)]
    polls = tuple(begins + POLL_S * number for number in range(1, 1 + round((cloud.now - begins) / POLL_S)))
    comparison = compare(truth, optional, came, Conditions(polls, offset_s=offset_s, lag_s=LATE_S))
    assert short_runs(truth), "the house has no run that no poll shows"
    assert {event.source for event in came} <= {"frame", "reconnect", "timeline"}
    assert len({event.id for event in came}) == len(came)
    assert {"missing": comparison.missing, "invented": comparison.invented} == {"missing": [], "invented": []}
    assert {"wrong": comparison.wrong_time, "disorder": comparison.out_of_order} == {"wrong": [], "disorder": []}
