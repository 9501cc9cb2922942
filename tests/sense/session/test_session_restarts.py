"""A session outlives its process, killed at whatever moment."""

import json
import threading

import pytest

from tests.support.sense.sense_fixtures import STATUS, api_of, session_of


def test_a_restart_needs_no_login(cloud, tmp_path, clock):
    first = session_of(cloud, tmp_path, clock).token()
    again = session_of(cloud, tmp_path, clock)
    assert again.token() == first
    assert again.auth == "ok"
    assert cloud.records.counts.login_attempts == 1


def test_a_restart_after_the_token_has_ended_needs_no_login(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).token()
    clock.advance(7200)
    again = session_of(cloud, tmp_path, clock)
    assert [monitor.id for monitor in again.account().monitors] == [900101]
    assert again.get(STATUS)
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_a_kill_at_any_moment_costs_no_login(cloud, tmp_path, clock):
    cloud.rules.token_life_s = 30
    for _ in range(15):  # a new process each minute
        assert session_of(cloud, tmp_path, clock).get(STATUS)
        clock.advance(60)
    assert cloud.records.counts.logins == 1
    assert cloud.records.counts.renews_refused == 0


class StoppedBeforeUse(Exception):
    """The process ends here."""


def test_a_rotated_token_is_on_disk_before_the_new_one_is_used(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).token()
    clock.advance(3590)
    before = json.loads((tmp_path / "session.json").read_text())

    armed = threading.Event()

    def stop(*_secrets):  # told of each token once it is stored, before anybody gets it
        if armed.is_set():
            raise StoppedBeforeUse

    dying = session_of(cloud, tmp_path, clock, add_temporary_secrets=stop)
    dying.account()
    armed.set()
    with pytest.raises(StoppedBeforeUse):
        dying.token()
    after = json.loads((tmp_path / "session.json").read_text())
    assert after["refresh_token"] != before["refresh_token"]
    assert session_of(cloud, tmp_path, clock).get(STATUS)
    assert cloud.records.counts.logins == 1


@pytest.mark.parametrize(("grace", "logins"), [(True, 1), (False, 2)], ids=["forgiven", "not forgiven"])
def test_a_kill_between_senses_rotation_and_our_store(cloud, tmp_path, clock, grace, logins):
    session_of(cloud, tmp_path, clock).token()
    stored = json.loads((tmp_path / "session.json").read_text())
    clock.advance(3590)
    cloud.rules.grace = grace
    form = {"user_id": str(stored["user_id"]), "refresh_token": stored["refresh_token"]}
    assert api_of(cloud, clock).post("renew", form)["access_token"]  # the answer never reached the disk
    assert session_of(cloud, tmp_path, clock).get(STATUS)
    assert cloud.records.counts.logins == logins
