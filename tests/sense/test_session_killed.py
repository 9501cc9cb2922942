"""A process that renews is killed again and again, without warning."""

import os
import signal
from pathlib import Path

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.processes.forked_process import ForkedProcess
from tests.support.processes.token_renewal_main import renew_for_ever
from tests.support.sense.sense_fixtures import PATIENCE_S

pytestmark = pytest.mark.enable_socket

KILLS = 6


def test_kill_9_at_any_moment_never_needs_a_new_login(tmp_path):
    with SimulatedCloud(BuiltInHouse(seed=1), clock_mode="manual", token_life_s=30) as cloud:
        cloud.rules.grace = True  # a renewal whose answer was lost may be repeated: nothing else could survive that
        arguments = [cloud.api_url, str(tmp_path), cloud.email, cloud.password]
        files = (Path(os.devnull), tmp_path / "out", tmp_path / "err")
        for kill in range(KILLS):
            renews = cloud.records.counts.renews + 1 + kill % 3
            process = ForkedProcess(renew_for_ever, arguments, os.environ, files)
            came = cloud.records.wait(lambda counts, renews=renews: counts.renews >= renews, PATIENCE_S)
            process.send_signal(signal.SIGKILL)
            assert process.wait(PATIENCE_S) == -signal.SIGKILL
            assert came
    assert cloud.records.counts.login_attempts == 1
    assert cloud.records.counts.renews_refused == 0
