"""The page beside a whole bridge: `sense-mqtt run` with `web` in its configuration."""

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.cli.extras import how_to_install
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.mosquitto import free_port
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess

PATIENCE = 200  # looks


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def wait_until_healthy(port: int) -> Any:
    for _ in range(PATIENCE):
        status, text = ask(port, "/health")
        if status == 200 and "stream" in text:
            return json.loads(text)
        threading.Event().wait(0.1)
    return pytest.fail(f"not healthy: {ask(port, '/health')}")


def test_a_bridge_with_a_page_is_healthy_tells_its_metrics_and_ends_at_once(broker_port: int, tmp_path: Path):
    port = free_port()
    with SimulatedCloud(BuiltInHouse(seed=1), speed=20) as cloud:
        web = {"enabled": True, "port": port}
        with BridgeProcess(tmp_path, configure(cloud, broker_port, web=web)) as bridge:
            assert "900101 stream" in wait_until_healthy(port)["verdict"]
            metrics = ask(port, "/metrics")[1]
            assert bridge.stop() == 0
    assert 'sense_power_watts{monitor="900101"}' in metrics
    assert cloud.password not in metrics
    assert f"the page is on http://127.0.0.1:{port}/" in bridge.log
    assert "Traceback" not in bridge.log


def test_a_port_that_is_taken_is_said_once_and_stops_nothing_else(broker_port: int, tmp_path: Path):
    with SimulatedCloud(BuiltInHouse(seed=1), speed=20) as cloud:
        web = {"enabled": True, "port": broker_port}
        with BridgeProcess(tmp_path, configure(cloud, broker_port, web=web)) as bridge:
            for _ in range(PATIENCE):
                if "connected to the MQTT broker" in bridge.log and "cannot listen" in bridge.log:
                    break
                threading.Event().wait(0.1)
            assert bridge.stop() == 0
    assert bridge.log.count(f"cannot listen on 127.0.0.1:{broker_port} (") == 1


def test_where_a_library_of_the_page_is_missing_the_bridge_says_how_to_get_it(tmp_path: Path):
    file = tmp_path / "config.yaml"
    sense = {"email": "me@example.com", "password": "secret"}
    file.write_text(json.dumps({"sense": sense, "web": {"enabled": True}, "state_dir": str(tmp_path / "state")}))
    file.chmod(0o600)
    without = "import sys; sys.modules['aiohttp'] = None; from sense_mqtt.cli.main import main; "
    command = [sys.executable, "-c", f"{without}sys.exit(main(['run', '--config', {str(file)!r}]))"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert f"web.enabled: the page needs aiohttp: {how_to_install('web')}" in ended.stderr
    assert "Traceback" not in ended.stderr
