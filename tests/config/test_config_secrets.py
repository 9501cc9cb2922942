"""Secrets come from wherever secrets are kept, and never twice."""

import os

import pytest

FILE = "config.yaml"


def password(machine):
    return machine.load().sense.password.get_secret_value()


ENDS = [
    pytest.param("hunter2", id="no line end"),
    pytest.param("hunter2\n", id="a line end"),
    pytest.param("hunter2\r\n", id="a line end of Windows"),
]


@pytest.mark.parametrize("text", ENDS)
def test_a_password_file_gives_its_text_without_line_end(machine, text):
    machine.write("secret", text)
    machine.write(FILE, "sense: {password_file: secret}")
    assert password(machine) == "hunter2"


def test_spaces_of_a_password_are_kept(machine):
    machine.write("secret", " hunter 2 \n")
    machine.write(FILE, "sense: {password_file: secret}")
    assert password(machine) == " hunter 2 "


KEPT = [
    pytest.param({"SENSE_MQTT_SENSE__PASSWORD": "of-variable"}, "of-variable", id="a variable over the file"),
    pytest.param({"SENSE_MQTT_SENSE__PASSWORD_FILE": "secret"}, "of-secret", id="a variable's file over the file"),
    pytest.param({}, "of-config", id="the file over credentials"),
]


@pytest.mark.parametrize(("environ", "expected"), KEPT)
def test_the_nearer_place_wins(machine, environ, expected):
    machine.write("secret", "of-secret")
    machine.write("run/sense_password", "of-docker")
    machine.write(FILE, "sense: {password: of-config}")
    machine.environ |= environ
    assert password(machine) == expected


def test_credentials_of_systemd_come_before_secrets_of_docker(machine):
    machine.write("run/sense_password", "of-docker")
    machine.write("run/mqtt_password", "of-docker")
    machine.write("run/sense_totp_secret", "JBSWY3DPEHPK3PXP")
    machine.write("cred/sense_password", "of-systemd")
    machine.environ["CREDENTIALS_DIRECTORY"] = str(machine.home / "cred")
    config = machine.load()
    assert config.sense.password.get_secret_value() == "of-systemd"
    assert config.mqtt.password.get_secret_value() == "of-docker"
    assert config.sense.totp_secret.get_secret_value() == "JBSWY3DPEHPK3PXP"


WRONG = [
    pytest.param("", "secret is empty; write the secret into it as one line", id="empty"),
    pytest.param("\n", "secret is empty; write the secret into it as one line", id="a line end alone"),
]


@pytest.mark.parametrize(("text", "fault"), WRONG)
def test_an_empty_secret_is_a_fault(machine, text, fault):
    machine.write("secret", text)
    machine.write(FILE, "mqtt: {password_file: secret}")
    assert machine.faults() == [f"{FILE}: mqtt.password_file: {fault}"]


def test_a_binary_secret_is_a_fault(machine):
    machine.write("secret", "").write_bytes(b"\xff\xfe")
    machine.write(FILE, "mqtt: {password_file: secret}")
    fault = "secret is not UTF-8 text; write the secret into it as one line"
    assert machine.faults() == [f"{FILE}: mqtt.password_file: {fault}"]


def test_a_missing_secret_file_is_a_fault(machine):
    machine.write(FILE, "sense: {totp_secret_file: secret}")
    fault = "secret does not exist; create it, or correct the path"
    assert machine.faults() == [f"{FILE}: sense.totp_secret_file: {fault}"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_a_closed_secret_file_is_a_fault(machine):
    machine.write("secret", "x", mode=0)
    machine.write(FILE, "sense: {password_file: secret}")
    assert "cannot be read by this user; change its owner or its mode" in machine.faults()[0]


def test_an_empty_credential_is_a_fault(machine):
    machine.write("run/mqtt_password", "")
    fault = "run/mqtt_password is empty; write the secret into it as one line"
    assert machine.faults() == [f"mqtt_password: mqtt.password_file: {fault}"]


TWICE = [
    pytest.param(
        "sense: {password: a, password_file: b}",
        {},
        "config.yaml: sense.password: is given here and by sense.password_file; keep one",
        id="in the file",
    ),
    pytest.param(
        "",
        {"SENSE_MQTT_MQTT__PASSWORD": "a", "SENSE_MQTT_MQTT__PASSWORD_FILE": "b"},
        "SENSE_MQTT_MQTT__PASSWORD: mqtt.password: is given here and by mqtt.password_file; keep one",
        id="in the environment",
    ),
]


@pytest.mark.parametrize(("text", "environ", "fault"), TWICE)
def test_a_secret_given_in_two_ways_is_a_fault(machine, text, environ, fault):
    machine.write(FILE, text)
    machine.environ |= environ
    assert machine.faults() == [fault]


def test_a_bad_secret_in_a_file_is_reported_without_it(machine):
    machine.write("secret", "123456")
    machine.write(FILE, "sense: {totp_secret_file: secret}")
    expected = "must be the setup key of two-factor login (16 or more of A-Z and 2-7), not a 6-digit code"
    assert machine.faults() == [f"{FILE}: sense.totp_secret: {expected}"]


OPEN = [
    pytest.param("mqtt: {password: a}", 0o644, ["config.yaml"], id="a configuration with a password"),
    pytest.param("mqtt: {password: a}", 0o640, [], id="one for the group only"),
    pytest.param("mqtt: {host: a}", 0o644, [], id="one without secrets"),
]


@pytest.mark.parametrize(("text", "mode", "warned"), OPEN)
def test_a_warning_for(machine, text, mode, warned):
    machine.write(FILE, text, mode)
    machine.load()
    assert [line.split(":")[0].removeprefix(f"{machine.home}/") for line in machine.warnings] == warned


def test_an_open_secret_file_is_warned_of_but_not_one_that_docker_keeps(machine):
    machine.write("secret", "a", 0o644)
    machine.write("run/mqtt_password", "a", 0o444)
    machine.write(FILE, "sense: {password_file: secret}")
    machine.load()
    path = machine.home / "secret"
    assert machine.warnings == [
        f"{path}: every user of this machine can read the secrets in it; run: chmod o-rwx {path}"
    ]
