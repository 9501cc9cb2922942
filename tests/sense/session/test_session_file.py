"""The file of a session, and what is learned of its tokens."""

import pytest
from sense_parts import STATUS, session_of

from sense_mqtt.errors import (
    ConfigError,
)


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
        with pytest.raises(ConfigError, match=r"session.json: cannot be read"):
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
    session = session_of(cloud, tmp_path, clock, learn=learned.append)
    first = session.token()
    clock.advance(4000)
    second = session.token()
    assert {first, second} < set(learned)
    assert len(set(learned)) == 5  # two of each, and the serial number of the monitor
