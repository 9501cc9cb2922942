"""The file of a session, and what is learned of its tokens."""

import pytest

from sense_mqtt.errors import SenseUnavailable, StateError
from tests.support.sense.sense_fixtures import STATUS, session_of


def test_a_session_that_cannot_be_stored_is_used_all_the_same(cloud, tmp_path, clock, caplog):
    session = session_of(cloud, tmp_path, clock)
    session.token()
    (tmp_path / "session.json").unlink()
    (tmp_path / "session.json").mkdir()  # which no file can replace
    clock.advance(4000)
    assert session.get(STATUS)
    assert "could not be stored" in caplog.text


def test_a_file_that_cannot_be_read_at_the_start_is_named_and_costs_no_login(cloud, tmp_path, clock):
    (tmp_path / "session.json").mkdir()
    session = session_of(cloud, tmp_path, clock)
    for _ in range(2):
        with pytest.raises(StateError, match=r"session.json: is a link, or no plain file"):
            session.token()
    assert cloud.records.counts.requests == 0


def test_a_damaged_file_is_as_good_as_none(cloud, tmp_path, clock):
    (tmp_path / "session.json").write_text('{"user_id": 900201, "access')
    assert session_of(cloud, tmp_path, clock).get(STATUS)
    assert cloud.records.counts.logins == 1


def test_a_file_that_others_can_read_gets_a_warning(cloud, tmp_path, clock, caplog):
    session_of(cloud, tmp_path, clock).token()
    assert not caplog.text
    (tmp_path / "session.json").chmod(0o644)
    session_of(cloud, tmp_path, clock).token()
    assert "session.json can be read by others; do `chmod 600" in caplog.text


def test_each_token_is_learned_for_redaction(cloud, tmp_path, clock):
    learned = []
    session = session_of(cloud, tmp_path, clock, add_temporary_secrets=lambda *tokens: learned.extend(tokens))
    first = session.token()
    clock.advance(4000)
    second = session.token()
    assert {first, second} < set(learned)
    assert len(set(learned)) == 5  # two of each, and the serial number of the monitor


# --- a state directory that comes and goes


def test_a_directory_that_is_removed_while_we_run_is_made_again_and_costs_no_login(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path / "state", clock)
    session.token()
    (tmp_path / "state").rename(tmp_path / "old")
    assert session.get(STATUS)
    assert session_of(cloud, tmp_path / "state", clock).get(STATUS)
    assert cloud.records.counts.logins == 1
    assert (tmp_path / "state" / "device.json").exists()


def test_a_session_file_that_a_person_removed_stays_removed(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    session.token()
    (tmp_path / "session.json").unlink()
    assert session.get(STATUS)
    assert not (tmp_path / "session.json").exists()


def test_a_directory_that_cannot_be_made_again_is_said_once_and_stops_nothing(cloud, tmp_path, clock, caplog):
    session = session_of(cloud, tmp_path / "state", clock)
    session.token()
    (tmp_path / "state").rename(tmp_path / "old")
    (tmp_path / "state").write_text("")
    for _ in range(3):
        assert session.get(STATUS)
    assert caplog.text.count("could not be stored") == 1


def test_no_login_is_made_that_cannot_be_counted_over_restarts(cloud, tmp_path, clock):
    (tmp_path / "state").symlink_to(tmp_path / "nowhere")
    session = session_of(cloud, tmp_path / "state", clock)
    for _ in range(3):
        with pytest.raises(SenseUnavailable, match=r"no login while it cannot be counted: .*leads nowhere"):
            session.token()
    assert session.auth == "unavailable"
    assert cloud.records.counts.logins == 0
    (tmp_path / "nowhere").mkdir()
    assert session.get(STATUS)
