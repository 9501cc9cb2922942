"""What the recorders keep, and how much at most."""

import json

from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import Tick
from sense_mqtt.core.wire.decode import decode
from sense_mqtt.items import FrameArrived
from sense_mqtt.recording.lines import read_note, write_note
from sense_mqtt.recording.notes import Note, Recorders
from sense_mqtt.recording.recorders import RecentNotes
from sense_mqtt.recording.redact import RecordingRedactor
from tests.support.core.builders import DRYER, PSEUDO

RAW = json.dumps({"type": "realtime_update", "payload": {"w": 300.0, "devices": [DRYER, *PSEUDO], "epoch": 1.5}})


def frame_at(second: float) -> Note:
    return Note(Moment(1e9 + second, second), 7, decode(RAW))


def test_the_last_ten_minutes_are_kept_as_they_were_read():
    recent = RecentNotes()
    for second in range(0, 1000, 10):
        recent.note(Note(Moment(1e9 + second, second), 7, FrameArrived(7, RAW)))
        recent.note(frame_at(second))
    assert recent.notes() == [frame_at(second) for second in range(390, 1000, 10)]


def test_memory_is_bounded():
    recent = RecentNotes(bytes_most=10_000)
    for second in range(500):
        recent.note(frame_at(second / 10))
        recent.note(Note(Moment(0, second / 10), 7, Tick()))
    assert 10 < len(recent.notes()) < 50
    assert recent.notes()[-2] == frame_at(49.9)


def test_what_was_read_of_a_frame_can_be_written_and_read_too():
    line = write_note(frame_at(1), RecordingRedactor(str))
    assert read_note(line) == frame_at(1)


def test_names_that_were_replaced_are_replaced_in_other_texts_too():
    clean = RecordingRedactor(str)
    assert clean.without_names("Anna's bed turned on") == "Anna's bed turned on"
    alias = clean.clean({"name": "Anna's bed", "location": "X1"})["name"]
    assert clean.without_names("Anna's bed turned on, X1 not") == f"{alias} turned on, X1 not"
    assert clean.without_names("Anna's bedside") == "Anna's bedside"


def test_a_recorder_that_fails_is_left_out_and_the_others_go_on(caplog):
    recent, failing = RecentNotes(), FailingRecorder()
    recorders = Recorders([failing, recent])
    recorders.note(frame_at(1))
    recorders.note(frame_at(2))
    assert recent.notes() == [frame_at(1), frame_at(2)]
    assert failing.asked == 1
    assert caplog.text.count("the recording ends here") == 1


class FailingRecorder:
    """Cannot write anything."""

    asked = 0

    def note(self, note: Note) -> None:
        self.asked += 1
        raise RecursionError(note.monitor)
