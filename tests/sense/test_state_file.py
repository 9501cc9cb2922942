"""Small files in the state directory."""

import json
import threading

import pytest

from sense_mqtt.errors import StateError
from sense_mqtt.sense.auth.session_file import SessionFile
from sense_mqtt.sense.device_id import device_id
from sense_mqtt.sense.state_file import StateFile


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


def test_a_damaged_file_is_reported_once_and_again_only_after_it_was_well(tmp_path, caplog):
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
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StateError, match=r"taken: is no directory; .*state_dir"):
        StateFile(tmp_path / "taken" / "x.json").save({})
    with pytest.raises(StateError, match=r"dangling: is a link that leads nowhere; make that directory"):
        StateFile(tmp_path / "dangling" / "x.json").save({})


@pytest.mark.parametrize("use", [StateFile.locked, StateFile.exclusive_lock])
def test_where_there_can_be_no_lock_it_is_said_once_and_gone_without(tmp_path, use, caplog):
    (tmp_path / "taken").write_text("")
    file = StateFile(tmp_path / "taken" / "x.json")
    for _ in range(2):
        with use(file) as is_ours:
            assert is_ours is not False
    assert caplog.text.count("continuing without a lock against other processes") == 1


def test_a_directory_that_was_removed_or_replaced_is_noticed_once(file, tmp_path):
    assert not file.directory_was_replaced()
    file.save({"a": 1})
    assert not file.directory_was_replaced()
    for put_back in (False, True):
        (tmp_path / "state").rename(tmp_path / f"old-{put_back}")
        if put_back:
            (tmp_path / "state").mkdir()
        assert file.directory_was_replaced()
        assert not file.directory_was_replaced()
        file.save({"a": 2})
    assert not file.directory_was_replaced()


def test_with_the_session_the_device_id_is_stored_again(tmp_path):
    known = device_id(tmp_path / "state")
    (tmp_path / "state").rename(tmp_path / "old")
    SessionFile(tmp_path / "state", known).store({})
    assert device_id(tmp_path / "state") == known


def test_a_device_id_that_cannot_be_stored_lasts_as_long_as_we_run(tmp_path, caplog):
    (tmp_path / "taken").write_text("")
    known = device_id(tmp_path / "taken")
    assert device_id(tmp_path / "taken") == known
    assert caplog.text.count("Sense will take us for another installation") == 1
    (tmp_path / "taken").unlink()
    assert device_id(tmp_path / "taken") == known
    assert json.loads((tmp_path / "taken" / "device.json").read_text()) == {"device_id": known}


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
    StateFile(path).warn_if_readable_by_others()
    assert ("can be read by others" in caplog.text) is warned


def test_a_missing_file_gets_no_warning(file, caplog):
    file.warn_if_readable_by_others()
    assert not caplog.text


def test_a_claim_keeps_others_out_until_it_ends(file):
    with file.exclusive_lock() as first, file.exclusive_lock() as second:
        assert (first, second) == (True, False)
    with file.exclusive_lock() as third:
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
