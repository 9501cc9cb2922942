"""A recording as the house of the simulated cloud."""

import gzip
import json
import zipfile

import msgpack
import pytest

from sense_mqtt.cli.recording import file_recorder
from sense_mqtt.clock import Moment
from sense_mqtt.config import Config
from sense_mqtt.items import FrameArrived
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.recording.lines import write_note
from sense_mqtt.recording.notes import Note
from sense_mqtt.recording.recorders import RecentNotes
from sense_mqtt.recording.redact import RecordingRedactor
from sense_mqtt.simulator.command import open_house
from sense_mqtt.simulator.house.measured import InvalidMeasurements
from sense_mqtt.simulator.house.recorded import RecordedHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.bridge.bridge_harness import BridgeHarness, raw_frame
from tests.support.core.builders import DRYER, KETTLE, START

FRAMES_SHOWN = ([], [DRYER], [DRYER, KETTLE], [KETTLE])
SWITCHED = [
    ("1a2b3c4d", "turned_on", START + 1),
    (KETTLE["id"], "turned_on", START + 2),
    ("1a2b3c4d", "turned_off", START + 3),
]


@pytest.fixture
def recording(tmp_path):
    """Four frames, of which the first has no device; beside it the same as msgpack, and a report, which holds them only
    as they were read."""
    bridge = BridgeHarness(tmp_path / "state")
    recorder = file_recorder(tmp_path / "recording.jsonl.gz", Config(), Redactor())
    recent = RecentNotes()
    bridge.recorders += [recorder, recent]
    bridge.restart()
    bridge.begin()
    for at, shown in enumerate(FRAMES_SHOWN):
        bridge.show(*shown, at=float(at))
    recorder.close()
    (tmp_path / "msgpack.jsonl.gz").write_bytes(packed(FRAMES_SHOWN))
    lines = "".join(f"{write_note(note, RecordingRedactor(str))}\n" for note in recent.notes())
    with zipfile.ZipFile(tmp_path / "report.zip", "w") as archive:
        archive.writestr("recording.jsonl.gz", gzip.compress(lines.encode()))
    return tmp_path / "recording.jsonl.gz"


def packed(shown):
    """Return a recording of these frames as Sense sends them where msgpack is asked for, as we do."""
    lines = []
    for at, devices in enumerate(shown):
        message = json.loads(raw_frame(*devices, at=float(at)).raw)
        raw = b"".join(map(msgpack.packb, (message["type"], START + at, message["payload"])))
        note = Note(Moment(START + at, float(at)), 7, FrameArrived(7, raw))
        lines.append(f"{write_note(note, RecordingRedactor(str))}\n")
    return gzip.compress("".join(lines).encode())


@pytest.mark.parametrize("name", ["recording.jsonl.gz", "msgpack.jsonl.gz", "report.zip"])
def test_the_recorded_house_switches_as_the_frames_show(recording, name):
    house = RecordedHouse(recording.with_name(name))
    assert (house.begins, house.ends) == (START, START + 3)
    found = house.transitions(START - 1, START + 9)
    assert [(each.device, each.kind, each.at) for each in found] == SWITCHED
    assert {device.name for device in house.devices} == {"Dryer", KETTLE["name"]}
    power = house.power_at(START + 1.5)
    assert [(each.device.id, each.w) for each in power.devices] == [("1a2b3c4d", pytest.approx(DRYER["w"], abs=0.001))]


def test_the_simulated_cloud_serves_it(recording):
    frame = SimulatedCloud(open_house(None, None, 1, recording)).monitor.frames.realtime(START + 2)
    watts = {row["id"]: row["w"] for row in frame["devices"]}
    assert watts[KETTLE["id"]] == pytest.approx(KETTLE["w"], abs=0.001)
    assert "1a2b3c4d" in watts


def test_what_is_no_recording_or_has_no_frames_is_refused(recording, tmp_path):
    (tmp_path / "text").write_bytes(gzip.compress(b"no JSON\n"))
    (tmp_path / "csv").write_text("unix,kettle\n0,1\n")
    head = gzip.decompress(recording.read_bytes()).splitlines()[0]
    (tmp_path / "empty").write_bytes(gzip.compress(head + b"\n"))
    for name, complaint in (("text", "is no recording"), ("csv", "[Nn]ot a gzip"), ("empty", "holds no two frames")):
        with pytest.raises((InvalidMeasurements, OSError), match=complaint):
            RecordedHouse(tmp_path / name)
    with pytest.raises(InvalidMeasurements, match="leave out --house and --solar"):
        open_house(tmp_path / "csv", None, 1, recording)


def test_a_recording_that_was_cut_off_ends_with_its_last_whole_line(recording, tmp_path):
    whole = recording.read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-9])
    assert RecordedHouse(tmp_path / "cut").begins == START
