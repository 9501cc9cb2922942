"""A pause where its file cannot be used."""

from sense_mqtt.inbox import Inbox
from sense_mqtt.sense.feed.pause import PauseControl
from sense_mqtt.sense.feed.reporter import FeedReporter
from sense_mqtt.sense.state_file import StateFile
from tests.support.sense.sense_fixtures import FakeClock


def test_a_pause_that_cannot_be_stored_is_kept_as_long_as_we_run_and_that_is_said(tmp_path, caplog):
    (tmp_path / "taken").write_text("")
    pauses = PauseControl(FeedReporter(7, Inbox()), StateFile(tmp_path / "taken" / "pause-7.json"), FakeClock())
    pauses.begin(60.0, silent=True)
    assert pauses.current is not None
    assert "a pause from before the restart cannot be read" in caplog.text
    assert "the pause cannot be stored" in caplog.text
