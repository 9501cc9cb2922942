"""No change of the code changes topics, payloads or their order unnoticed."""

import difflib

from tests.upgrade.scripted_run import RECORDING, record

AGAIN = "if that is meant, write it anew (python -m tests.upgrade.scripted_run) and read the difference:"
MAX_QUOTED = 40  # lines


def test_a_scripted_run_publishes_byte_for_byte_what_was_recorded():
    recorded, present = RECORDING.read_text().splitlines(), record().splitlines()
    differences = list(difflib.unified_diff(recorded, present, "recorded", "present", lineterm="", n=1))
    assert not differences, "\n".join([AGAIN, *differences[:MAX_QUOTED]])


def test_the_recording_holds_each_type_of_event():
    text = RECORDING.read_text()
    assert [event_type for event_type in EVENT_TYPES if f'"event_type":"{event_type}"' not in text] == []


EVENT_TYPES = (
    *("turned_on", "turned_off", "idle", "device_found", "device_removed", "device_renamed"),
    *("monitor_online", "monitor_offline", "feed_changed", "rate_limited", "auth_required", "auth_ok"),
)
