"""The section `web`: who may reach the page, and that its password leaves nowhere."""

import json

import pytest

GUARDED = [
    pytest.param("", id="this machine alone, by default"),
    pytest.param(", host: '::1'", id="this machine alone, by IPv6"),
    pytest.param(", host: localhost", id="this machine alone, by name"),
    pytest.param(", host: 0.0.0.0, password: a", id="everybody with the password"),
    pytest.param(", host: 0.0.0.0, password_file: secret.txt", id="with the password of a file"),
    pytest.param(", host: 0.0.0.0, ingress: true", id="Home Assistant's ingress alone"),
]


@pytest.mark.parametrize("more", GUARDED)
def test_the_page_can_be_opened_to(machine, more: str):
    machine.write("secret.txt", "a")
    machine.write("config.yaml", f"web: {{enabled: true{more}}}")
    assert machine.load().web.enabled


@pytest.mark.parametrize("host", ["'::'", "192.168.1.5", "pi.local"])
def test_an_address_that_others_reach_needs_a_password(machine, host: str):
    machine.write("config.yaml", f"web: {{enabled: true, host: {host}}}")
    [fault] = machine.faults()
    assert fault.startswith("config.yaml: web: host: other machines can reach the page there, so it needs a password")


def test_where_the_page_is_off_nothing_is_needed(machine):
    machine.write("config.yaml", "web: {host: 0.0.0.0}")
    assert not machine.load().web.enabled


def test_the_password_is_known_to_the_redactor_and_in_nothing_that_is_published(machine):
    machine.write("config.yaml", "web: {enabled: true, host: 0.0.0.0, password: geheim123}")
    config = machine.load()
    assert "geheim123" in config.secrets()
    assert "geheim123" not in json.dumps(config.public())
