"""What is wrong is told all at once, by file and key, with what to do, and without a secret."""

from pathlib import Path

import pytest

FAULTS = [
    ("a cycle", "devices: {a: {cycle: yes}}", "devices.a.cycle: must be off, or hold pause_s: {pause_s: 300}"),
    ("a pause", "devices: {a: {cycle: {pause_s: 0}}}", "devices.a.cycle.pause_s: must be at least 1, not 0"),
    ("a number too large", "mqtt: {port: 99999}", "mqtt.port: must be at most 65535, not 99999"),
    ("a number too small", "feed: {poll_interval_s: 10}", "feed.poll_interval_s: must be at least 30, not 10"),
    ("no number", "mqtt: {port: many}", "mqtt.port: must be a whole number, not 'many'"),
    ("half a port", "mqtt: {port: 1.5}", "mqtt.port: must be a whole number, not 1.5"),
    ("a number of no size", "sense: {timeout_s: .inf}", "sense.timeout_s: must be a number, not '.inf'"),
    ("no switch", "mqtt: {tls: {enabled: maybe}}", "mqtt.tls.enabled: must be true or false, not 'maybe'"),
    (
        "not one of a few",
        "feed: {mode: strem}",
        "feed.mode: must be 'auto', 'stream', 'poll' or 'snapshot', not 'strem'",
    ),
    ("a mistyped key", "mqtt: {prot: 1883}", "mqtt.prot: is not a known key; did you mean mqtt.port?"),
    ("a mistyped section", "mqt: {port: 1883}", "mqt: is not a known key; did you mean mqtt?"),
    ("a misplaced key", "email: me@example.com", "email: is not a known key; did you mean sense.email?"),
    (
        "a strange key",
        "energy: {zzz: 1}",
        "energy.zzz: is not a known key; known here: interval_s",
    ),
    (
        "a strange key of a device",
        "devices: {1a: {off_delay: 3}}",
        "devices.1a.off_delay: is not a known key; did you mean devices.1a.off_delay_s?",
    ),
    ("a section that is a text", "mqtt: localhost", "mqtt: must hold keys of its own, one a line, further indented"),
    ("a list for a text", "mqtt: {host: [a, b]}", "mqtt.host: must be one text, in quotes"),
    ("sections for a list", "sense: {monitors: {a: 1}}", "sense.monitors: must be a list, such as [123456]"),
    ("no monitor id", "sense: {monitors: [1, x]}", "sense.monitors.1: must be a whole number, not 'x'"),
    ("a negative monitor id", "sense: {monitors: -1}", "sense.monitors.0: must be more than 0, not -1"),
    (
        "a host with more to it",
        "mqtt: {host: 'mqtt://jane:pw@h'}",
        "mqtt.host: must be a host name or an IP address alone, without mqtt://, user or port",
    ),
    (
        "a host label that would kill paho",
        f"mqtt: {{host: {'a' * 64}.example}}",
        "mqtt.host: must be a host name or an IP address alone, without mqtt://, user or port",
    ),
    (
        "a filter that goes on after #",
        "mqtt: {response_topics: [a/#/b]}",
        "mqtt.response_topics.0: must be a topic filter such as node-red/# or +/answers",
    ),
    (
        "a filter with half a level",
        "mqtt: {response_topics: a+}",
        "mqtt.response_topics.0: must be a topic filter such as node-red/# or +/answers",
    ),
    (
        "a path without a slash",
        "mqtt: {path: mqtt}",
        "mqtt.path: must begin with / and hold no space, # or letter beyond ASCII, such as /mqtt",
    ),
    (
        "an empty filter",
        "mqtt: {response_topics: ['']}",
        "mqtt.response_topics.0: must be a topic filter such as node-red/# or +/answers",
    ),
    ("a wildcard", "mqtt: {base_topic: a/+}", "mqtt.base_topic: must hold no + or # and no control character"),
    ("an empty topic", "mqtt: {base_topic: ''}", "mqtt.base_topic: must not be empty, begin or end with / or hold //"),
    (
        "a slash at the end",
        "home_assistant: {prefix: ha/}",
        "home_assistant.prefix: must not be empty, begin or end with / or hold //",
    ),
    (
        "a broker's own topic",
        "mqtt: {base_topic: $SYS}",
        "mqtt.base_topic: must not begin with $ and be at most 200 bytes long",
    ),
    (
        "a cloud without TLS",
        "sense: {api_url: 'http://api.example.com/'}",
        "sense.api_url: must begin with https://; http:// is for a simulated cloud on this machine only",
    ),
    (
        "a feed without TLS",
        "sense: {feed_url: 'ws://10.0.0.1'}",
        "sense.feed_url: must begin with wss://; ws:// is for a simulated cloud on this machine only",
    ),
    ("no address", "sense: {api_url: api.sense.com}", "sense.api_url: must be an address such as https://host/path"),
    (
        "a broken address",
        "sense: {api_url: 'https://[x'}",
        "sense.api_url: must be an address such as https://host/path",
    ),
    (
        "an address with a user",
        "sense: {api_url: 'https://a:b@h/'}",
        "sense.api_url: must hold no user, password, ? or #",
    ),
    (
        "off above on",
        "devices: {1a: {on_above_w: 5, off_below_w: 6}}",
        "devices.1a: off_below_w must be at most on_above_w, or the device would never be off",
    ),
    (
        "a surplus that is on and off at once",
        "solar: {surplus: {on_above_w: 5, off_below_w: 6}}",
        "solar.surplus: off_below_w must be at most on_above_w, or surplus would be ON and OFF at once",
    ),
    (
        "half a location",
        "solar: {latitude: 39.74}",
        "solar: latitude and longitude belong together; give both or none",
    ),
    (
        "a key without its certificate",
        "mqtt: {tls: {key_file: config.yaml}}",
        "mqtt.tls: key_file needs cert_file; give both",
    ),
    (
        "a missing authority",
        "sense: {ca_file: a.pem}",
        "sense.ca_file: a.pem does not exist; create it, or correct the path",
    ),
    (
        "a name too long for any file",
        f"sense: {{ca_file: {'a' * 300}}}",
        f"sense.ca_file: {'a' * 300} cannot be read: OSError; correct the path",
    ),
    ("a list for a file", "sense: {ca_file: [a]}", "sense.ca_file: must be the path of a file"),
    ("a directory for a file", "sense: {ca_file: .}", "sense.ca_file: . is a directory; name a file"),
    (
        "a key twice",
        "mqtt:\n  port: 1\n  port: 2",
        "mqtt.port: is given twice, again in line 3, column 3; keep one",
    ),
    (
        "Home Assistant's tags",
        "mqtt: {host: !secret broker}",
        "mqtt.host: tags such as !secret are not understood; give the value, or a *_file",
    ),
    ("no mapping", "- mqtt", "must hold keys such as `mqtt:`, one a line, not a list or a single value"),
]


@pytest.mark.parametrize(("text", "fault"), [pytest.param(*case[1:], id=case[0]) for case in FAULTS])
def test_a_fault_is_reported_by_file_and_key(machine, text, fault):
    machine.write("config.yaml", text)
    assert [line.replace(str(machine.home), ".") for line in machine.faults()] == [f"config.yaml: {fault}"]


def test_nesting_without_end_is_no_crash(machine):
    machine.write("config.yaml", "[" * 1000)
    assert machine.faults() == ["config.yaml: is nested too deeply"]


def test_all_faults_are_reported_at_once(machine):
    machine.write("config.yaml", "mqtt: {port: 0, host: 'a b'}\nfeed: {mode: x}")
    machine.environ |= {"SENSE_MQTT_LOG_LEVEL": "loud", "SENSE_MQTT_MQTT__PROT": "1"}
    assert [line.split(" must")[0].split(" is")[0] for line in machine.faults()] == [
        "SENSE_MQTT_MQTT__PROT:",
        "config.yaml: feed.mode:",
        "config.yaml: mqtt.host:",
        "config.yaml: mqtt.port:",
        "SENSE_MQTT_LOG_LEVEL: log_level:",
    ]


MISSING = "does not exist; create it, or correct the path; config.example.yaml shows what belongs there"


def test_a_named_file_must_exist(machine):
    assert machine.faults(Path("my.yaml")) == [f"my.yaml: {MISSING}"]
    machine.environ["SENSE_MQTT_CONFIG"] = "other.yaml"
    assert machine.faults() == [f"other.yaml: {MISSING}"]


def test_a_directory_is_no_configuration(machine):
    assert machine.faults(machine.home)[0].endswith(
        "is a directory; name a file; config.example.yaml shows what belongs there"
    )


LEAKS = [
    pytest.param("sense: {password: [hunter2]}", id="in a list"),
    pytest.param("sense: {password: {hunter2: 1}}", id="in braces"),
    pytest.param("sense: {totp_secret: hunter2}", id="not a secret of two-factor login"),
    pytest.param("sense: {email: hunter2}", id="not an e-mail address"),
    pytest.param("sense: {passwrd: hunter2}", id="at a mistyped key"),
    pytest.param("password: hunter2", id="at a misplaced key"),
    pytest.param("sense: {password: *hunter2}", id="as an alias"),
    pytest.param("sense: {password: !hunter2!x a}", id="as a tag"),
    pytest.param("sense: {password: 'hunter2", id="in an open quote"),
    pytest.param("sense: [hunter2]", id="in place of a section"),
    pytest.param("sense: {api_url: 'http://hunter2@h'}", id="in an address"),
    pytest.param("mqtt: {password: a, password: hunter2}", id="given twice"),
    pytest.param("mqtt: {password: hunter2, password_file: x}", id="given in two ways"),
]


@pytest.mark.parametrize("text", LEAKS)
def test_no_message_repeats_a_secret(machine, text):
    machine.write("config.yaml", text)
    assert not any("hunter2" in line for line in machine.faults())
