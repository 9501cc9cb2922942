"""What all commands share: exit codes, output that nobody reads on, logging from the first line on."""

import json
import os
import subprocess
import sys

import pytest

from sense_mqtt.errors import (
    CommandRefused,
    ConfigError,
    JournalError,
    LoginRefused,
    MfaNeeded,
    RateLimited,
    SenseUnavailable,
    StateError,
)
from sense_mqtt.sense.single_instance import SingleInstanceLock
from tests.support.processes.command_line import run_words

EXIT_CODES = [
    (ConfigError("x"), 2),
    (JournalError("x"), 1),
    (StateError("x"), 1),
    (LoginRefused("x"), 3),
    (MfaNeeded("x"), 3),
    (SenseUnavailable("x"), 1),
    (RateLimited("x", 5.0), 1),
    (CommandRefused("not_found", "x"), 2),
]


@pytest.mark.parametrize(("error", "exit_code"), EXIT_CODES, ids=lambda value: type(value).__name__)
def test_an_error_has_the_exit_code_of_the_contract(error, exit_code):
    assert error.exit_code == exit_code


def sense_mqtt(*arguments, typed=b"", **environ):
    """Return exit code, output and complaints."""
    ended = run_words([os.fsdecode(argument) for argument in arguments], typed, **environ)
    return ended.exit_code, ended.out, ended.err


def test_output_that_nobody_reads_on_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)  # as `head` does once it has enough
    command = [sys.executable, "-m", "sense_mqtt", "config", "--schema"]
    with os.fdopen(writing, "wb") as closed:
        ended = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


INTERRUPTED = """
import sys

class CtrlC:
    def find_spec(self, name, *_):
        if name == "sense_mqtt.cli.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, CtrlC())
from sense_mqtt.__main__ import main
sys.exit(main())
"""


def test_ctrl_c_while_the_program_is_still_imported_ends_it_without_a_traceback():
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


COMMANDS = [["discovery"], ["lookup", "status"], ["check"], ["login"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_warning_about_the_configuration_is_logged_as_such(command, tmp_path):
    sense = {"email": "me@example.com", "password": "secret", "api_url": "http://127.0.0.1:1/"}
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({"sense": sense, "state_dir": str(tmp_path / "state")}))  # JSON is YAML
    file.chmod(0o644)
    exit_code, _, complaints = sense_mqtt(*command, "--config", str(file))
    assert exit_code == 1
    assert "WARNING sense_mqtt.config.load: " in complaints


def test_a_configuration_that_is_wrong_ends_with_2(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("mqtt: {port: 99999}")
    exit_code, _, complaints = sense_mqtt("lookup", "status", "--config", str(file))
    assert exit_code == 2
    assert "mqtt.port: must be at most 65535" in complaints


def test_arguments_of_a_lookup_may_follow_its_options(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("log_level: shout\n")
    exit_code, _, complaints = sense_mqtt("lookup", "device", "--config", str(file), "id=1a2b3c4d", "monitor=1")
    assert exit_code == 2
    assert "log_level" in complaints  # not "unrecognized arguments": the file is read


@pytest.mark.parametrize(
    "words",
    [["lookup", "status", "--config", "x", "--zzz=1"], ["lookup", "status", "--config", "x", "zzz"], ["run", "a=b"]],
)
def test_an_argument_that_no_command_has_ends_with_2(words):
    exit_code, _, complaints = sense_mqtt(*words)
    assert exit_code == 2
    assert "unrecognized arguments" in complaints


def test_a_second_bridge_on_one_state_directory_ends_with_1_and_says_why(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"state_dir": str(tmp_path / "state"), "sense": {"email": "a@b.c", "password": "x"}}))
    config.chmod(0o600)
    with SingleInstanceLock(tmp_path / "state"):
        exit_code, _, complaints = sense_mqtt("run", "--config", str(config))
    assert exit_code == 1
    assert complaints.splitlines()[0].endswith(f"INFO sense_mqtt.cli.run: the configuration is read from {config}")
    assert complaints.splitlines()[1:] == [
        f"{tmp_path}/state: another sense-mqtt works there; stop it, or give this one a state_dir of its own"
    ]


BYTES = b"\xff\xc3\x28"  # no UTF-8
STRANGE = [
    pytest.param(["run", "--config", BYTES], "does not exist", id="run: a file's name"),
    pytest.param(["check", "--config", BYTES], "does not exist", id="check: a file's name"),
    pytest.param(["discovery", "--config", BYTES], "does not exist", id="discovery: a file's name"),
    pytest.param(["config", "--config", BYTES], "does not exist", id="config: a file's name"),
    pytest.param(["lookup", BYTES], "name: is not UTF-8 text", id="lookup: a name"),
    pytest.param(["lookup", "get", b"path=" + BYTES], "arguments: is not UTF-8 text", id="lookup: an argument"),
    pytest.param(["login", "--email", BYTES], "email: is not UTF-8 text", id="login: an e-mail"),
    pytest.param(["login", "--code", BYTES], "code: is not UTF-8 text", id="login: a code"),
    pytest.param(["simulate", "--house", BYTES], "No such file", id="simulate: a file's name"),
    pytest.param(["simulate", "--email", BYTES], "email: is not UTF-8 text", id="simulate: an e-mail"),
    pytest.param(["simulate", "--speed", BYTES], "invalid positive value", id="simulate: a number"),
    pytest.param(["demo", "--mqtt-port", BYTES], "invalid _port value", id="demo: a number"),
    pytest.param([BYTES], "invalid choice", id="a command"),
    pytest.param(["run", BYTES], "unrecognized arguments", id="a word too many"),
]


@pytest.mark.parametrize(("command", "complaint"), STRANGE)
def test_any_bytes_on_the_command_line_are_answered_in_words(command, complaint):
    exit_code, output, complaints = sense_mqtt(*command)
    assert exit_code == 2
    told = output if command[0] == "check" else complaints
    assert complaint in told
    assert "Traceback" not in complaints


def account(tmp_path, **sense):
    """Return a configuration of which nothing can be reached."""
    file = tmp_path / "config.yaml"
    content = {"sense": {"api_url": "http://127.0.0.1:1/", **sense}, "state_dir": str(tmp_path / "state")}
    file.write_text(json.dumps(content))
    file.chmod(0o600)
    return str(file)


def test_any_bytes_of_standard_input_are_answered_in_words(tmp_path):
    file = account(tmp_path, email="me@example.com")
    told = sense_mqtt("login", "--password-stdin", "--config", file, typed=BYTES + b"\n")
    assert told == (
        2,
        "",
        "what was typed is not UTF-8 text; correct the terminal's encoding, or what fills standard input\n",
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_the_configuration_is_printed_as_json_whatever_the_encoding(tmp_path, encoding):
    file = tmp_path / "config.yaml"
    file.write_text("devices: {1a: {name: 'W\u00e4rmepumpe \u2600'}}")
    command = [sys.executable, "-m", "sense_mqtt", "config", "--config", str(file)]
    ended = subprocess.run(
        command, capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    )
    assert json.loads(ended.stdout.decode(encoding))["devices"]["1a"]["name"] == "W\u00e4rmepumpe \u2600"
