"""The configuration is read again while the bridge runs: what changes at once, what waits, and what is refused."""

import logging
from types import SimpleNamespace

import pytest

from sense_mqtt.cli.reload import Reloader
from sense_mqtt.cli.report_data import ReportSource
from sense_mqtt.cli.service_manager import ServiceManager
from sense_mqtt.config import Config
from sense_mqtt.errors import ConfigError
from sense_mqtt.items import Reload
from sense_mqtt.logs.redaction import Redactor
from tests.support.bridge.bridge_harness import BridgeHarness, warnings
from tests.support.core.builders import DRYER, moment


@pytest.fixture(autouse=True)
def restore_log_level():
    """A level that one test sets is none of the next one's."""
    level = logging.getLogger("sense_mqtt").level
    yield
    logging.getLogger("sense_mqtt").setLevel(level)


class Reloading:
    """A bridge that reads its configuration again, and the datagrams that systemd gets."""

    def __init__(self, folder):
        self.harness = BridgeHarness(folder)
        self.read = SimpleNamespace(config=self.config(folder))
        self.datagrams: list[bytes] = []
        manager = ServiceManager(
            {"NOTIFY_SOCKET": "/run/notify"}, lambda: "", lambda _address, sent: self.datagrams.append(sent)
        )
        self.harness.bridge.add_periodic_task("the service manager", manager.maintain)
        self.harness.bridge.on_reload(Reloader(self.harness.bridge, self.read.config, manager, self._read).reload)
        self.harness.begin()
        self.datagrams.clear()

    def config(self, folder, **more):
        return Config.model_validate({"state_dir": folder, "sense": {"email": "me@example.com"}, **more})

    def _read(self):
        if isinstance(self.read.config, ConfigError):
            raise self.read.config
        return self.read.config


@pytest.fixture
def reloading(tmp_path):
    return Reloading(tmp_path)


def test_a_new_rule_of_a_device_holds_at_once_and_without_a_new_feed(reloading, tmp_path):
    harness = reloading.harness
    harness.show(DRYER, at=6.0)
    feed = harness.feeds[7]
    reloading.read.config = reloading.config(tmp_path, devices={DRYER["id"]: {"name": "Tumble dryer"}})
    harness.take(Reload())
    assert harness.documents("7/device/1a2b3c4d/attributes")[-1]["name"] == "Tumble dryer"
    assert harness.documents("bridge/info")[-1]["config"]["devices"][DRYER["id"]]["name"] == "Tumble dryer"
    assert harness.feeds == {7: feed}
    assert feed.told == ["start"]


def test_the_log_level_changes(reloading, tmp_path):
    reloading.read.config = reloading.config(tmp_path, log_level="debug")
    reloading.harness.take(Reload())
    assert logging.getLogger("sense_mqtt").level == logging.DEBUG


def test_what_takes_effect_at_a_restart_only_is_named(reloading, tmp_path, caplog):
    reloading.read.config = reloading.config(tmp_path, mqtt={"host": "other", "password": "changed"})
    reloading.harness.take(Reload())
    [line] = warnings(caplog)
    assert line.endswith("once sense-mqtt is started again: mqtt.host, passwords and other secrets")
    assert reloading.harness.documents("bridge/info")[-1]["config"]["mqtt"]["host"] == "localhost"


def test_a_configuration_with_a_fault_leaves_everything_as_it_was(reloading, caplog):
    reloading.read.config = ConfigError("config.yaml:3: mqtt.prot: unknown key")
    reloading.harness.take(Reload())
    [line] = warnings(caplog)
    assert "the old one stays in force" in line
    assert "mqtt.prot: unknown key" in line


def test_systemd_is_told_when_it_begins_and_when_it_is_over(reloading):
    harness = reloading.harness
    harness.take(Reload())
    harness.pass_time(1.0)
    begins, over, *_ = reloading.datagrams
    assert begins.startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert over.startswith(b"READY=1")


def test_a_bridge_without_a_configuration_file_says_so_and_goes_on(tmp_path, caplog):
    harness = BridgeHarness(tmp_path)
    harness.begin()
    harness.take(Reload())
    assert warnings(caplog) == ["there is no configuration file to be read again"]


def test_a_report_tells_the_configuration_that_was_read_last(reloading, tmp_path):
    harness, report = reloading.harness, ReportSource(reloading.read.config, Redactor())
    reloading.read.config = reloading.config(tmp_path, energy={"interval_s": 1800})
    harness.take(Reload())
    assert report.find(harness.bridge, moment(9.0)).config["energy"] == {"interval_s": 1800.0}


def test_the_first_frame_of_a_monitor_is_logged_once(reloading, caplog):
    caplog.set_level(logging.INFO)
    for at in (6.0, 7.0):
        reloading.harness.show(DRYER, at=at)
    assert caplog.messages.count("monitor 7: frames come (stream), the first shows 3 devices") == 1
