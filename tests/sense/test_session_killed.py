"""A process that renews is killed again and again, without warning."""

import subprocess
import sys

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.checkout import ROOT
from tests.support.sense.sense_fixtures import PATIENCE_S

pytestmark = pytest.mark.enable_socket

KILLS = 6


def test_kill_9_at_any_moment_never_needs_a_new_login(tmp_path):
    with SimulatedCloud(BuiltInHouse(seed=1), clock_mode="manual", token_life_s=30) as cloud:
        cloud.rules.grace = True  # a renewal whose answer was lost may be repeated: nothing else could survive that
        command = [sys.executable, "-m", "tests.support.processes.token_renewal_main", cloud.api_url, str(tmp_path)]
        for kill in range(KILLS):
            renews = cloud.records.counts.renews + 1 + kill % 3
            with subprocess.Popen([*command, cloud.email, cloud.password], cwd=ROOT) as process:
                came = cloud.records.wait(lambda counts, renews=renews: counts.renews >= renews, PATIENCE_S)
                process.kill()
            assert came
    assert cloud.records.counts.login_attempts == 1
    assert cloud.records.counts.renews_refused == 0
