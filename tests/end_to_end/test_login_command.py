"""`sense-mqtt login`, as people and scripts run it."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sense_mqtt.sense.auth.totp import code_at
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.command_line import command, run_command, write_config

PATIENCE_S = 30.0
Misbehave = Callable[[SimulatedCloud], object]


@pytest.fixture
def cloud() -> Iterator[SimulatedCloud]:
    with SimulatedCloud(BuiltInHouse(seed=1), mfa=True) as cloud:
        yield cloud


@pytest.fixture
def config_file(cloud: SimulatedCloud, tmp_path: Path) -> Path:
    """A configuration that knows neither e-mail nor password."""
    return write_config(tmp_path, {"sense": {"api_url": cloud.api_url, "feed_url": cloud.feed_url}})


def present_code(cloud: SimulatedCloud) -> str:
    """Return what the authenticator app shows."""
    return code_at(cloud.totp_secret, time.time())


def is_stored(config_file: Path) -> bool:
    return (config_file.parent / "state" / "session.json").exists()


def test_a_script_gives_password_and_code_line_by_line(cloud: SimulatedCloud, config_file: Path):
    lines = f"{cloud.password}\n{present_code(cloud)}\n"
    ended = run_command(config_file, "login", "--email", cloud.email, "--password-stdin", lines=lines)
    assert (ended.exit_code, ended.err) == (0, "")
    assert "monitors: 900101" in ended.out
    assert is_stored(config_file)
    assert cloud.records.counts.logins == 1


def test_the_code_may_be_an_argument_and_the_password_come_from_its_file(cloud: SimulatedCloud, tmp_path: Path):
    secret = tmp_path / "password"
    secret.write_text(cloud.password)
    secret.chmod(0o600)
    sense = {"api_url": cloud.api_url, "feed_url": cloud.feed_url, "email": cloud.email, "password_file": str(secret)}
    ended = run_command(write_config(tmp_path, {"sense": sense}), "login", "--code", present_code(cloud))
    assert (ended.exit_code, ended.err) == (0, "")


def test_a_totp_secret_needs_nobody(cloud: SimulatedCloud, tmp_path: Path):
    sense = {
        "api_url": cloud.api_url,
        "feed_url": cloud.feed_url,
        "email": cloud.email,
        "password": cloud.password,
        "totp_secret": cloud.totp_secret,
    }
    assert run_command(write_config(tmp_path, {"sense": sense}), "login").exit_code == 0


def test_with_a_clock_that_is_off_a_code_that_is_right_logs_in_all_the_same(cloud: SimulatedCloud, config_file: Path):
    cloud.faults.clock_offset_s = 900.0
    lines = f"{cloud.password}\n{code_at(cloud.totp_secret, time.time() + 900)}\n"
    ended = run_command(config_file, "login", "--email", cloud.email, "--password-stdin", lines=lines)
    assert ended.exit_code == 0
    assert "behind Sense's" in ended.err


def test_another_account_than_the_configured_one_is_refused_before_it_costs_a_login(
    cloud: SimulatedCloud, tmp_path: Path
):
    config = configure(cloud, 1883, sense={"email": "somebody@example.com"})
    ended = run_command(write_config(tmp_path, config), "login", "--email", cloud.email, "--password-stdin")
    assert ended.exit_code == 2
    assert "another account" in ended.err
    assert cloud.records.counts.login_attempts == 0


REFUSALS = [
    pytest.param(lambda _: None, "wrong\n", 3, "check e-mail and password", id="a wrong password"),
    pytest.param(lambda _: None, "{password}\n", 3, "give --code", id="no code"),
    pytest.param(lambda _: None, "{password}\n000000\n", 3, "Sense refused the code", id="a wrong code"),
    pytest.param(
        lambda _: None, "{password}\n000000\n000000\n", 3, "clock is right: check", id="a wrong code, and another"
    ),
    pytest.param(
        lambda cloud: setattr(cloud.faults, "clock_offset_s", 900.0),
        "{password}\n{code}\n",
        3,
        "behind Sense's: set the clock",
        id="a clock that is off",
    ),
    pytest.param(
        lambda cloud: setattr(cloud.rules, "locked", True),
        "{password}\n",
        3,
        "account is locked",
        id="a locked account",
    ),
    pytest.param(
        lambda cloud: cloud.faults.refuse(429, retry_after=77), "{password}\n", 1, "wait 77 s", id="too many calls"
    ),
    pytest.param(lambda cloud: cloud.faults.refuse(503), "{password}\n", 1, "has an outage (HTTP 503", id="an outage"),
    pytest.param(lambda cloud: cloud.stop(), "{password}\n", 1, "cannot be reached", id="no way to Sense"),
    pytest.param(lambda _: None, "\n", 2, "no password: give it", id="no password"),
]


@pytest.mark.parametrize(("misbehave", "lines", "exit_code", "told"), REFUSALS)
def test_each_failure_has_its_own_message_and_exit_code(
    misbehave: Misbehave, lines: str, exit_code: int, told: str, cloud: SimulatedCloud, config_file: Path
):
    given = lines.format(password=cloud.password, code=present_code(cloud))
    misbehave(cloud)
    ended = run_command(config_file, "login", "--email", cloud.email, "--password-stdin", lines=given)
    assert (ended.exit_code, ended.out) == (exit_code, "")
    assert told in ended.err
    assert len(ended.err.splitlines()) == 1
    assert cloud.email not in ended.err
    assert cloud.password not in ended.err
    assert not is_stored(config_file)


def test_a_bridge_that_waits_for_a_person_goes_on_by_itself(cloud: SimulatedCloud, broker_port: int, tmp_path: Path):
    with (
        Listener(broker_port) as listener,
        BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge,
    ):
        listener.wait_for(
            lambda heard: any(h.topic == "sense/bridge/event" and "auth_required" in h.payload for h in heard),
            "auth_required",
        )
        assert run_command(bridge.config_file, "login", lines=f"{present_code(cloud)}\n").exit_code == 0
        listener.wait_for_payload("sense/900101/availability", "online", timeout_s=60)
        assert bridge.stop() == 0
    assert cloud.records.counts.logins == 1


def test_a_person_is_asked_and_what_they_type_is_not_shown(cloud: SimulatedCloud, config_file: Path):
    with Person(command(config_file, "login")) as person:
        person.answers("E-mail of the Sense account: ", cloud.email)
        person.answers("Password: ", cloud.password)
        person.answers("Code of the authenticator app: ", "000 000")
        person.answers("Sense refused that code. The next one: ", present_code(cloud))
        assert person.leaves() == 0
    assert "logged in" in person.screen
    assert cloud.password not in person.screen


class Person:
    """Sits before a terminal, reads what is asked and types."""

    def __init__(self, words: list[str]) -> None:
        self._ours, theirs = os.openpty()
        self._process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.screen = ""

    def __enter__(self) -> "Person":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def answers(self, question: str, answer: str) -> None:
        while not self.screen.endswith(question):
            shown = self._read()
            assert shown, f"not asked: {question}; the screen shows: {self.screen}"
            self.screen += shown
        os.write(self._ours, f"{answer}\n".encode())

    def leaves(self) -> int:
        while shown := self._read():
            self.screen += shown
        return self._process.wait(PATIENCE_S)

    def _read(self) -> str:
        try:
            return os.read(self._ours, 4096).decode()
        except OSError:  # how Linux tells that the other side is gone
            return ""
