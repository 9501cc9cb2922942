"""The demo as the README starts it: one command, no account and no broker."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from tests.support.mqtt.listener import Listener
from tests.support.processes.command_line import run_words

PATIENCE_S = 60.0
DEMO = [sys.executable, "-m", "sense_mqtt", "demo"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for_port(port: int) -> None:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("nobody listens")


@pytest.fixture
def demo() -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    command = [*DEMO, "--speed", "600", "--mqtt-port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process, port
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_the_demo_shows_a_house_that_switches_and_ends_when_it_is_told_to_whoever_is_subscribed(demo, number):
    process, port = demo
    wait_for_port(port)
    heading = "".join(process.stdout.readline() for _ in range(3))  # at once, not when it ends
    with Listener(port, protocol=MQTTProtocolVersion.MQTTv311) as listener:
        listener.wait_for(lambda heard: sum("turned_" in one.payload for one in heard) >= 3, "events", PATIENCE_S)
        topics = {message.topic for message in listener.messages()}
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert any(topic.startswith("homeassistant/device/sense_mqtt_") for topic in topics)
    assert process.returncode == 0
    assert f"  mosquitto_sub -p {port} -v -t 'sense/#'\n" in heading
    assert "The page of the house: http://127.0.0.1:" in heading
    assert "Last events" in out
    assert "Traceback" not in err


def test_the_demo_ends_quietly_when_its_pipe_is_closed(demo):
    process, _ = demo
    lines = [process.stdout.readline() for _ in range(4)]  # as `head -4`
    process.stdout.close()
    assert process.wait(PATIENCE_S) == 0
    assert process.stderr.read() == ""
    assert "turned_" in lines[3]


@pytest.mark.parametrize(
    "given", [["--speed", "0"], ["--seconds", "-1"], ["--mqtt-port", "99999"]], ids=lambda given: given[0]
)
def test_wrong_options_are_reported_in_one_line(given):
    ended = run_words(["demo", *given])
    assert ended.exit_code == 2
    assert f"argument {given[0]}: must be" in ended.err


def test_a_port_that_is_taken_is_reported_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run_words(["demo", "--mqtt-port", port])
    assert ended.exit_code == 1
    assert ended.err == f"cannot listen on 127.0.0.1:{port}: address already in use\n"
