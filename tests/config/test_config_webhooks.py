"""`webhooks` in the configuration: each has a URL that is a secret."""

import json

import pytest

from sense_mqtt.config.webhook_settings import hooks_of
from sense_mqtt.core.webhooks.hook import Hook

FILE = "config.yaml"
KEY = "0123456789abcdefghij"
URL = f"https://maker.ifttt.com/trigger/laundry/with/key/{KEY}"


def test_a_hook_has_a_url_or_a_file_that_holds_it_and_may_name_events_and_devices(machine):
    machine.write("ifttt.txt", f"{URL}\n")
    machine.write(
        FILE,
        """
webhooks:
  - url: http://192.168.1.20:1880/sense
  - {url_file: ifttt.txt, format: ifttt, events: [turned_on, device_found], devices: [1a2b3c4d]}
""",
    )
    config = machine.load()
    assert [hook.secret_url for hook in config.webhooks] == ["http://192.168.1.20:1880/sense", URL]
    first, second = hooks_of(config.webhooks)
    assert first == Hook(first.key, "json")
    assert second == Hook(second.key, "ifttt", frozenset({"turned_on", "device_found"}), frozenset({"1a2b3c4d"}))


def test_hooks_may_be_one_variable_or_several(machine):
    machine.environ["SENSE_MQTT_WEBHOOKS"] = json.dumps([{"url": "http://a/b"}])
    assert machine.load().webhooks[0].secret_url == "http://a/b"
    machine.environ = {
        **machine.environ,
        "SENSE_MQTT_WEBHOOKS__0__EVENTS": "turned_on, turned_off",
        "SENSE_MQTT_WEBHOOKS__0__DEVICES": '["1a2b"]',
        "SENSE_MQTT_WEBHOOKS__0__FORMAT": "ifttt",
    }
    machine.environ["SENSE_MQTT_WEBHOOKS__0__URL"] = "http://a/b"
    del machine.environ["SENSE_MQTT_WEBHOOKS"]
    (hook,) = machine.load().webhooks
    assert (hook.events, hook.devices, hook.format) == (("turned_on", "turned_off"), ("1a2b",), "ifttt")


def test_the_url_is_seen_nowhere_and_redacted_with_each_part_that_may_be_a_key(machine):
    machine.write(FILE, f"webhooks: [{{url: {URL}}}]")
    config = machine.load()
    assert KEY not in json.dumps(config.public())
    assert KEY not in repr(config)
    assert set(config.secrets()) == {URL, KEY}


WRONG = [
    pytest.param("{format: json}", "webhooks.0: url or url_file must be given", id="no url"),
    pytest.param(
        f"{{url: ftp://h/{KEY}}}", "webhooks.0.url: must be an address such as https://host/path", id="no http"
    ),
    pytest.param(
        f"{{url: 'http:///{KEY}'}}", "webhooks.0.url: must be an address such as https://host/path", id="no host"
    ),
    pytest.param(
        f"{{url: 'http://h:0/{KEY}'}}", "webhooks.0.url: must be an address such as https://host/path", id="port 0"
    ),
    pytest.param(
        f"{{url: 'http://h:x/{KEY}'}}", "webhooks.0.url: must be an address such as https://host/path", id="no port"
    ),
    pytest.param(
        f"{{url: 'http://h/{KEY} x'}}",
        "webhooks.0.url: must hold no # , no space and no letter beyond ASCII",
        id="a space",
    ),
    pytest.param(
        "{url: http://h, format: xml}", "webhooks.0.format: must be 'json' or 'ifttt', not 'xml'", id="a format"
    ),
    pytest.param(
        "{url: http://h, event: [x]}",
        "webhooks.0.event: is not a known key; did you mean webhooks.0.events?",
        id="a key",
    ),
    pytest.param(
        "{url: http://h, events: [on]}",
        "webhooks.0.events.0: must be one of turned_on, turned_off, idle, cycle_finished, device_found, "
        "device_renamed, device_merged, device_removed, monitor_online, monitor_offline",
        id="an event that there is not",
    ),
]


@pytest.mark.parametrize(("written", "fault"), WRONG)
def test_what_is_wrong_is_told_without_the_url(machine, written, fault):
    machine.write(FILE, f"webhooks: [{written}]")
    assert machine.faults() == [f"config.yaml: {fault}"]
