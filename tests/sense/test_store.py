"""Small files in the state directory."""

import json
import os
import threading

import pytest

from sense_mqtt.errors import ConfigError
from sense_mqtt.sense.store import StateFile, device_id


@pytest.fixture
def file(tmp_path):
    return StateFile(tmp_path / "state" / "session.json")


def test_what_is_saved_is_loaded(file, tmp_path):
    file.save({"a": 1})
    assert file.load() == {"a": 1}
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["session.json"]


def test_nobody_else_can_read_it(file, tmp_path):
    file.save({})
    assert (tmp_path / "state" / "session.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_missing_file_is_none(file):
    assert file.load() is None
    assert file.stamp() is None


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00\x00", '"text"', '{"a": '])
def test_a_damaged_file_is_none_with_a_warning(tmp_path, content, caplog):
    (tmp_path / "x.json").write_text(content)
    assert StateFile(tmp_path / "x.json").load() is None
    assert "holds no JSON object" in caplog.text


def test_a_damaged_file_is_told_once_and_again_only_after_it_was_well(tmp_path, caplog):
    file = StateFile(tmp_path / "x.json")
    for _ in range(2):
        (tmp_path / "x.json").write_text("{")
        assert [file.load() for _ in range(5)] == [None] * 5
        file.save({})
        assert file.load() == {}
    assert caplog.text.count("holds no JSON object") == 2


def test_a_failed_save_leaves_the_old_content(file, tmp_path):
    file.save({"a": 1})
    with pytest.raises(TypeError):
        file.save({"a": object()})
    assert file.load() == {"a": 1}
    assert len(list((tmp_path / "state").iterdir())) == 1


def test_a_directory_that_cannot_be_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match=r"taken/x\.json: cannot be written .*state_dir"):
        StateFile(tmp_path / "taken" / "x.json").save({})
    with (
        pytest.raises(ConfigError, match=r"x\.lock: cannot be opened .*state_dir"),
        StateFile(tmp_path / "taken" / "x.json").locked(),
    ):
        pass


def test_the_stamp_changes_with_each_save(file):
    file.save({"a": 1})
    first = file.stamp()
    file.save({"a": 1})
    assert file.stamp() != first


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_can_read_gets_a_warning(tmp_path, mode, warned, caplog):
    path = tmp_path / "session.json"
    path.write_text("{}")
    path.chmod(mode)
    StateFile(path).warn_if_shared()
    assert ("can be read by others" in caplog.text) is warned


def test_a_missing_file_gets_no_warning(file, caplog):
    file.warn_if_shared()
    assert not caplog.text


def test_a_claim_keeps_others_out_until_it_ends(file):
    with file.claimed() as first, file.claimed() as second:
        assert (first, second) == (True, False)
    with file.claimed() as third:
        assert third


def test_a_lock_is_waited_for(file):
    order, inside = [], threading.Event()

    def wait():
        inside.set()
        with file.locked():
            order.append("second")

    with file.locked():
        thread = threading.Thread(target=wait)
        thread.start()
        inside.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_the_device_id_is_made_once(tmp_path):
    first = device_id(tmp_path)
    assert first == device_id(tmp_path)
    assert len(first) == 32


def test_a_damaged_device_id_is_made_anew(tmp_path):
    (tmp_path / "device.json").write_text(json.dumps({"device_id": "a\r\nb"}))
    assert device_id(tmp_path, lambda: "abc") == "abc"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_whom_the_directory_belongs(tmp_path):
    os.chown(tmp_path, 12_345, 12_346)
    file = StateFile(tmp_path / "session.json")
    with file.locked():
        file.save({"a": 1})
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in tmp_path.iterdir()}
    assert owners == dict.fromkeys(("session.json", "session.lock"), (12_345, 12_346))
