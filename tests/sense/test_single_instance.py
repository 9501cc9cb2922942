"""One bridge in a state directory."""

import subprocess
import sys

import pytest

from sense_mqtt.clock import Moment
from sense_mqtt.errors import StateError
from sense_mqtt.sense.device_id import device_id
from sense_mqtt.sense.single_instance import SingleInstanceLock
from sense_mqtt.sense.state_file import StateFile

NOW = Moment(0.0, 0.0)
END_UNKINDLY = f"""
import os, sys
from pathlib import Path
from sense_mqtt.sense.single_instance import {SingleInstanceLock.__name__}
with {SingleInstanceLock.__name__}(Path(sys.argv[1])):
    os.kill(os.getpid(), 9)
"""


def test_a_second_one_is_refused_with_what_to_do(tmp_path):
    with (
        SingleInstanceLock(tmp_path),
        pytest.raises(StateError, match="another sense-mqtt works there; stop it, or") as refused,
    ):
        SingleInstanceLock(tmp_path).__enter__()
    assert str(tmp_path) in str(refused.value)
    assert refused.value.exit_code == 1


def test_it_is_free_again_once_the_first_has_ended(tmp_path):
    for _ in range(2):
        with SingleInstanceLock(tmp_path):
            pass


def test_a_process_that_is_killed_leaves_it_free(tmp_path):
    command = [sys.executable, "-c", END_UNKINDLY, str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == -9
    with SingleInstanceLock(tmp_path):
        pass


def test_two_bridges_may_work_in_two_directories(tmp_path):
    with SingleInstanceLock(tmp_path / "a"), SingleInstanceLock(tmp_path / "b"):
        pass


def test_whoever_only_reads_and_writes_the_files_is_not_kept_out(tmp_path):
    with SingleInstanceLock(tmp_path):
        device_id(tmp_path)
        with (
            StateFile(tmp_path / "session.json").locked(),
            StateFile(tmp_path / "feed-1.json").exclusive_lock() as is_ours,
        ):
            assert is_ours


def test_where_there_can_be_no_lock_it_works_all_the_same_and_locks_later(tmp_path, caplog):
    (tmp_path / "state").write_text("")
    with SingleInstanceLock(tmp_path / "state") as only_one:
        for _ in range(3):
            only_one.maintain(NOW)
        assert caplog.text.count("continuing without a lock against other processes") == 1
        (tmp_path / "state").unlink()
        only_one.maintain(NOW)
        with pytest.raises(StateError, match="another sense-mqtt works there"):
            SingleInstanceLock(tmp_path / "state").__enter__()


def test_a_directory_that_was_removed_is_locked_again(tmp_path, caplog):
    state_dir = tmp_path / "state"
    with SingleInstanceLock(state_dir) as only_one:
        state_dir.rename(tmp_path / "old")
        for _ in range(3):
            only_one.maintain(NOW)
        assert caplog.text.count("was removed while we run") == 1
        with pytest.raises(StateError, match="another sense-mqtt works there"):
            SingleInstanceLock(state_dir).__enter__()


def test_two_that_work_there_after_all_are_reported_once(tmp_path, caplog):
    state_dir = tmp_path / "state"
    with SingleInstanceLock(state_dir) as first:
        state_dir.rename(tmp_path / "old")
        with SingleInstanceLock(state_dir):
            for _ in range(3):
                first.maintain(NOW)
    assert caplog.text.count("another sense-mqtt works there now; stop one of both") == 1
