"""A recording of the bridge leads to the events that the bridge told, byte for byte."""

import gzip
import json
from typing import Any

import pytest

from sense_mqtt.cli.recording import file_recorder, replay
from sense_mqtt.config import Config
from sense_mqtt.errors import StateError
from sense_mqtt.items import FeedEnded, FeedOpened, FrameArrived
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.recording.recorders import FileRecorder
from tests.support.bridge.bridge_harness import BridgeHarness
from tests.support.core.builders import DRYER, KETTLE, PLUG, PSEUDO, START

ANNA = {"id": "0badcafe", "name": "Anna's bed", "location": "Rue de la Paix 5", "w": 60.0}
CONFIG: dict[str, Any] = {
    "defaults": {"on_delay_s": 0, "off_delay_s": 3},
    "devices": {
        "1a2b3c4d": {"off_delay_s": 0, "cycle": "off"},
        "99aabbcc": {"name": "Kitchen kettle", "on_above_w": 100},
    },
}


@pytest.fixture
def bridge(tmp_path) -> BridgeHarness:
    """A process that begins with what an earlier one stored, and a recorder of all that it sees."""
    bridge = BridgeHarness(tmp_path / "state", **CONFIG)
    bridge.session.responses["app/monitors/7/devices"] = [DRYER, KETTLE, PLUG, ANNA]
    bridge.begin()
    bridge.show(DRYER, at=1)
    bridge.recorders.append(recorder_in(tmp_path))
    bridge.restart()
    bridge.begin()
    return bridge


def recorder_in(tmp_path) -> FileRecorder:
    config = Config.model_validate(CONFIG)
    return file_recorder(tmp_path / "recording.jsonl.gz", config, Redactor(["topsecret"]))


def told(bridge: BridgeHarness) -> list[str]:
    """Return all events of the house and its devices, as they were published."""
    return [m.payload for m in bridge.broker.published if m.topic.startswith("sense/7/") and m.topic.endswith("/event")]


def live(bridge: BridgeHarness, anna: Any = ANNA) -> None:
    """Let happen what can happen to a house."""
    at = bridge.clock.after_s
    for shown in ([], [KETTLE], [KETTLE, DRYER, PLUG], [DRYER], [{**DRYER, "w": 20.0}], [], [anna], [anna, KETTLE]):
        for _ in range(8):
            at += 0.5
            bridge.show(*shown, at=at)
    bridge.take(FeedEnded(7, "gone"))
    bridge.pass_time(100)
    item = {
        "time": START + at + 30,
        "device_id": "1a2b3c4d",
        "device_state": "DeviceOn",
        "device_transition_from_state": "x",
    }
    bridge.session.responses["users/{user}/timeline"] = {"items": [item]}
    bridge.take(
        FeedOpened(7, "stream"), FrameArrived(7, b"\x81\xa4"), FrameArrived(7, '{"type": "hello", "payload": {}}')
    )
    at = bridge.clock.after_s
    for shown in ([DRYER], [KETTLE, DRYER], []):
        for _ in range(10):
            at += 0.5
            bridge.show(*shown, at=at)
        bridge.pass_time(5)
    payload = {"w": 1.0, "devices": [*PSEUDO, PLUG]}
    bridge.take(FeedOpened(7, "poll"))
    bridge.poll(payload)
    bridge.pass_time(300)


def test_what_was_recorded_leads_to_the_events_that_were_told_byte_for_byte(bridge, tmp_path):
    live(bridge, PLUG)
    bridge.recorders[0].close()
    assert {json.loads(event)["event_type"] for event in told(bridge)} >= {"turned_on", "turned_off", "monitor_offline"}
    assert list(replay(tmp_path / "recording.jsonl.gz", None)) == told(bridge)


def test_names_that_are_not_of_sense_are_replaced_and_nothing_else_is(bridge, tmp_path):
    live(bridge)
    bridge.recorders[0].close()
    before, after = told(bridge), list(replay(tmp_path / "recording.jsonl.gz", None))
    assert [without_names(event) for event in after] == [without_names(event) for event in before]
    assert [event for event in after if event in before] == [event for event in before if "Anna" not in event]
    aliases = {event.get("name") for event in map(json.loads, after)} - {
        event.get("name") for event in map(json.loads, before)
    }
    assert len(aliases) == 1  # the same one in all events


def without_names(event: str) -> str:
    return json.dumps({key: value for key, value in json.loads(event).items() if key != "name"})


def test_a_recording_holds_no_name_and_no_secret(bridge, tmp_path):
    live(bridge)
    bridge.take(
        FrameArrived(
            7, json.dumps({"type": "error", "payload": {"message": "no topsecret", "access_token": "abcdefgh"}})
        ),
        FrameArrived(7, json.dumps({"type": "monitor_info", "payload": {"serial": "N123456789", "ssid": "AnnasNet"}})),
    )
    bridge.recorders[0].close()
    text = gzip.decompress((tmp_path / "recording.jsonl.gz").read_bytes()).decode()
    for secret in ("Anna", "Rue", "topsecret", "abcdefgh", "N123456789", "me@example.com"):
        assert secret not in text
    assert "Dryer" in text
    assert (tmp_path / "recording.jsonl.gz").stat().st_mode & 0o777 == 0o600


def test_a_recording_that_was_cut_off_leads_to_the_events_up_to_there(bridge, tmp_path):
    live(bridge)
    bridge.recorders[0].close()
    file = tmp_path / "recording.jsonl.gz"
    whole = list(replay(file, None))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    cut = list(replay(file, None))
    assert 0 < len(cut) < len(whole)
    assert cut == whole[: len(cut)]


def test_a_recording_is_made_in_a_new_file_only(tmp_path):
    recorder_in(tmp_path).close()
    with pytest.raises(StateError, match="is there already"):
        recorder_in(tmp_path)


NONE = [
    pytest.param(b"", id="empty"),
    pytest.param(b"hello\n", id="no gzip"),
    pytest.param(gzip.compress(b"hello\n"), id="no JSON"),
    pytest.param(gzip.compress(b'{"recording": 99, "config": {}}\n'), id="another version"),
    pytest.param(gzip.compress(b'{"recording": 1, "config": {"feed": {"mode": "x"}}}\n'), id="a wrong configuration"),
    pytest.param(gzip.compress(b'{"recording": 1, "config": {}}\n{"wall": 1}\n'), id="a wrong line"),
    pytest.param(b"\x1f\x8b\x08" + bytes(100), id="damaged"),
]


@pytest.mark.parametrize("content", NONE)
def test_what_is_no_recording_is_told(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(StateError, match="file: "):
        list(replay(tmp_path / "file", None))
