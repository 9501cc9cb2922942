"""Our standing with Sense: renewals, the budget of logins, and waiting for a person."""

import json
import logging
import threading

import pytest
from sense_parts import HandClock, api_of, known, session_of

from sense_mqtt.errors import (
    ConfigError,
    LoginRefused,
    MfaNeeded,
    NotFound,
    RateLimited,
    RequestRefused,
    SenseUnavailable,
    TokenRefused,
)
from sense_mqtt.sense.budget import Limits
from sense_mqtt.sense.login import ClockOff
from sense_mqtt.sense.logins import Credentials
from sense_mqtt.simulator.cloud import SimulatedCloud
from sense_mqtt.simulator.model import BuiltInHouse

STATUS = "app/monitors/900101/status"
QUARTER_S, DAY_S = 900.0, 86_400.0


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def cloud(clock):
    with SimulatedCloud(BuiltInHouse(seed=1), pace="manual", wall=clock.wall, token_life_s=3600) as cloud:
        yield cloud


def test_the_first_session_is_a_login(cloud, tmp_path, clock):
    posted = []
    session = session_of(cloud, tmp_path, clock, post=posted.append)
    assert session.auth == "starting"
    account = session.account()
    assert (account.user_id, [monitor.id for monitor in account.monitors]) == (900201, [900101])
    assert account.monitors[0].time_zone == "America/New_York"
    assert account.monitors[0].solar
    assert session.auth == "ok"
    assert [(item.auth, item.reason) for item in posted] == [("ok", "logged in")]
    assert session.logins_last_hour == 1


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


def test_a_token_is_renewed_before_its_end(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(2870)
    assert session.token() == first
    clock.advance(20)
    assert session.token() != first
    assert session.account().monitors[0].id == 900101  # a renewal does not tell the monitors
    assert cloud.records.counts.logins == 1


def test_tokens_that_live_two_seconds_cost_one_login(cloud, tmp_path, clock):
    cloud.rules.token_life_s = 2
    session = session_of(cloud, tmp_path, clock)
    for _ in range(30):
        assert session.get(STATUS)
        clock.advance(1.9)
    assert cloud.records.counts.logins == 1
    assert cloud.records.counts.renews >= 15


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

    def stop(_secret):  # told of each token once it is stored, before anybody gets it
        if armed.is_set():
            raise StoppedBeforeUse

    dying = session_of(cloud, tmp_path, clock, learn=stop)
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


@pytest.mark.parametrize("off_s", [-DAY_S * 400, -7200, 7200, DAY_S * 400])
def test_a_clock_that_is_off_renews_in_time_all_the_same(cloud, tmp_path, clock, off_s):
    cloud.faults.clock_offset_s = off_s
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(2800)
    assert session.token() == first
    clock.advance(100)
    assert session.token() != first
    assert cloud.records.counts.logins == 1


def test_a_clock_set_back_makes_the_stored_token_doubtful_and_costs_no_login(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).token()
    clock.set_wall(clock.wall() - DAY_S)
    cloud.faults.clock_offset_s = DAY_S  # Sense's clock went on
    assert session_of(cloud, tmp_path, clock).get(STATUS)
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_a_refused_token_is_renewed_once_and_the_question_repeated(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    session.token()
    cloud.account.expire_access_tokens()
    assert session.get(STATUS)
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_a_question_that_is_always_refused_ends(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    cloud.faults.refuse(401, path="status", body='{"error_reason": "No"}')
    with pytest.raises(TokenRefused):
        session.get(STATUS)
    assert len(cloud.records.requests(STATUS)) == 2
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_a_token_that_has_been_replaced_meanwhile_is_not_renewed_again(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(1)
    session.token_refused(first)
    second = session.token()
    session.token_refused(first)
    assert session.token() == second
    assert cloud.records.counts.renews == 1


def test_many_threads_renew_once(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(1)
    answers, together = [], threading.Barrier(8)

    def ask():
        together.wait(20)
        session.token_refused(first)
        answers.append(session.token())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert cloud.records.counts.renews == 1


def test_two_processes_renew_once(cloud, tmp_path, clock):
    ours, theirs = session_of(cloud, tmp_path, clock), session_of(cloud, tmp_path, clock)
    assert ours.token() == theirs.token()
    clock.advance(3000)
    assert ours.token() == theirs.token()
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_the_user_is_filled_into_the_path(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).get("users/{user}/timeline", {"n_items": 1})
    assert cloud.records.requests("users/900201/timeline")


def test_no_monitors_is_an_answer_too(cloud, tmp_path, clock):
    cloud.service.monitors.clear()
    assert session_of(cloud, tmp_path, clock).account().monitors == ()


# --- outages

OUTAGES = [
    ("an HTML page", {"status": 503}, SenseUnavailable),
    ("an error 500", {"status": 500, "body": "{}"}, SenseUnavailable),
    ("a limit", {"status": 429, "retry_after": 5}, RateLimited),
    ("a missing path", {"status": 404, "body": "{}"}, NotFound),
    ("a page of a proxy", {"status": 200}, SenseUnavailable),
    ("a firewall", {"status": 403}, SenseUnavailable),
    ("a cut", {"status": -1}, SenseUnavailable),
    ("another refusal", {"status": 405, "body": "{}"}, RequestRefused),
]


@pytest.mark.parametrize(("fault", "kind"), [row[1:] for row in OUTAGES], ids=[row[0] for row in OUTAGES])
def test_a_renewal_that_meets_an_outage_never_leads_to_a_login(cloud, tmp_path, clock, fault, kind):
    posted = []
    session = session_of(cloud, tmp_path, clock, post=posted.append)
    session.token()
    clock.advance(4000)
    cloud.faults.refuse(path="renew", **fault)
    for _ in range(20):
        with pytest.raises((kind, RateLimited)):
            session.get(STATUS)
        clock.advance(60)
    assert session.auth == "unavailable"
    cloud.faults.clear()
    assert session.get(STATUS)
    assert cloud.records.counts.login_attempts == 1
    assert [item.auth for item in posted] == ["ok", "unavailable", "ok"]


def test_while_renewal_must_wait_the_old_token_serves(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(3000)
    cloud.faults.refuse(503, path="renew")
    assert session.token() == first
    assert session.token() == first
    assert len(cloud.records.requests("renew")) == 1
    assert session.auth == "ok"
    clock.advance(31)
    cloud.faults.clear()
    assert session.token() != first


def test_a_renewal_without_a_token_is_an_outage(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    session.token()
    clock.advance(4000)
    cloud.faults.refuse(200, path="renew", body="{}")
    with pytest.raises(SenseUnavailable, match="holds no token"):
        session.token()
    assert cloud.records.counts.login_attempts == 1


def test_a_login_that_meets_an_outage_is_repeated_after_a_quarter_of_an_hour(cloud, tmp_path, clock):
    cloud.faults.refuse(503, path="authenticate")
    session = session_of(cloud, tmp_path, clock)
    with pytest.raises(SenseUnavailable, match="not well"):
        session.token()
    assert session.auth == "unavailable"
    cloud.faults.clear()
    clock.advance(QUARTER_S - 10)
    with pytest.raises(SenseUnavailable, match="the next login is at 20"):
        session.token()
    assert len(cloud.records.requests("authenticate")) == 1
    clock.advance(11)
    assert session.get(STATUS)
    assert session.auth == "ok"


def test_a_login_that_never_left_this_machine_costs_no_budget(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    cloud.stop()
    for _ in range(6):
        with pytest.raises(SenseUnavailable, match="cannot be reached"):
            session.token()
    cloud.start()
    assert session.get(STATUS)
    assert session.logins_last_hour == 1


def test_a_login_without_a_token_is_an_outage(cloud, tmp_path, clock):
    cloud.faults.refuse(200, path="authenticate", body='{"authorized": true}')
    session = session_of(cloud, tmp_path, clock)
    with pytest.raises(SenseUnavailable, match="login holds no token"):
        session.token()
    assert session.auth == "unavailable"


# --- the budget


def test_a_refused_renewal_leads_to_one_login(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    session.token()
    clock.advance(4000)
    cloud.account.expire_refresh_tokens()
    assert session.get(STATUS)
    assert cloud.records.counts.logins == 2


def test_logins_are_a_quarter_of_an_hour_apart_over_restarts(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).token()
    cloud.account.expire_refresh_tokens()
    cloud.account.expire_access_tokens()
    posted = []
    for _ in range(5):
        session = session_of(cloud, tmp_path, clock, post=posted.append)
        with pytest.raises(LoginRefused, match="the next login is at"):
            session.get(STATUS)
    assert session.auth == "auth_required"
    assert cloud.records.counts.login_attempts == 1
    clock.advance(QUARTER_S)
    assert session.get(STATUS)
    assert cloud.records.counts.login_attempts == 2


def test_four_logins_a_day_and_no_more(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    for _ in range(100):
        try:
            session.token()
        except LoginRefused:
            pass
        else:
            cloud.account.expire_refresh_tokens()
            cloud.account.expire_access_tokens()
            session.token_refused(session.token())
        clock.advance(600)
    assert cloud.records.counts.logins == 4
    assert session.auth == "auth_required"


def test_while_parked_nothing_is_asked(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong"))
    for _ in range(50):
        with pytest.raises(LoginRefused, match="Invalid email or password"):
            session.get(STATUS)
        clock.advance(3600)
    assert cloud.records.counts.requests == 1


def test_parking_is_told_once(cloud, tmp_path, clock, caplog):
    posted = []
    session = session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong"), post=posted.append)
    with caplog.at_level(logging.DEBUG, "sense_mqtt"):
        for _ in range(5):
            with pytest.raises(LoginRefused):
                session.token()
    assert [item.auth for item in posted] == ["auth_required"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_login_stored_by_another_process_ends_the_waiting(cloud, tmp_path, clock):
    posted = []
    parked = session_of(cloud, tmp_path, clock, credentials=Credentials(), post=posted.append)
    with pytest.raises(LoginRefused, match=r"run `sense-mqtt login`"):
        parked.token()
    by_hand = session_of(cloud, tmp_path, clock, credentials=Credentials())
    account = by_hand.log_in(cloud.email, cloud.password, lambda: "")
    assert account.user_id == 900201
    assert parked.get(STATUS)
    assert [item.auth for item in posted] == ["auth_required", "ok"]
    assert cloud.records.counts.login_attempts == 1


def test_a_person_may_log_in_while_the_bridge_may_not(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong"))
    with pytest.raises(LoginRefused):
        session.token()
    session.log_in(cloud.email, cloud.password, lambda: "")
    assert session.get(STATUS)
    assert session.logins_last_hour == 2


def test_even_a_person_should_not_try_for_ever(cloud, tmp_path, clock):
    cloud.rules.lockout_after = 100
    session = session_of(cloud, tmp_path, clock, credentials=Credentials())
    for _ in range(5):
        with pytest.raises(LoginRefused):
            session.log_in(cloud.email, "wrong", lambda: "")
    with pytest.raises(RateLimited, match="too many logins"):
        session.log_in(cloud.email, cloud.password, lambda: "")
    assert cloud.records.counts.login_attempts == 5


def test_a_locked_account_is_named_and_left_alone_for_hours(cloud, tmp_path, clock):
    cloud.rules.locked = True
    session = session_of(cloud, tmp_path, clock)
    with pytest.raises(LoginRefused, match="account is locked"):
        session.token()
    cloud.rules.locked = False
    clock.advance(3600)
    with pytest.raises(LoginRefused, match="account is locked"):
        session.token()
    assert cloud.records.counts.login_attempts == 1
    clock.advance(5 * 3600)
    assert session.get(STATUS)


def test_the_limits_are_figures(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock, limits=Limits(spacing_s=10))
    session.token()
    cloud.account.expire_refresh_tokens()
    clock.advance(4000)
    assert session.token()
    assert cloud.records.counts.logins == 2


# --- two-factor login


@pytest.fixture
def guarded(cloud):
    cloud.rules.mfa = True
    return cloud


def test_with_its_secret_two_factor_login_needs_nobody(guarded, tmp_path, clock):
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=guarded.totp_secret))
    assert session.get(STATUS)
    assert guarded.records.counts.logins == 1


def test_without_its_secret_two_factor_login_needs_a_person(guarded, tmp_path, clock):
    session = session_of(guarded, tmp_path, clock)
    for _ in range(3):
        with pytest.raises(MfaNeeded, match=r"run `sense-mqtt login`, or set sense\.totp_secret"):
            session.token()
        clock.advance(DAY_S)
    assert guarded.records.counts.login_attempts == 1
    assert session.auth == "auth_required"


def test_a_person_types_the_code(guarded, tmp_path, clock, totp):
    session = session_of(guarded, tmp_path, clock, credentials=Credentials())
    session.log_in(guarded.email, guarded.password, lambda: totp(clock.wall()))
    assert session.get(STATUS)


def test_a_person_may_mistype_the_code_once(guarded, tmp_path, clock, totp):
    typed = iter(["000000", totp(clock.wall())])
    session = session_of(guarded, tmp_path, clock, credentials=Credentials())
    session.log_in(guarded.email, guarded.password, lambda: next(typed))
    assert session.get(STATUS)


def test_a_wrong_secret_is_told_from_a_wrong_clock(guarded, tmp_path, clock):
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    clock.advance(29.99 - clock.wall() % 30)  # the next code is near
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=secret))
    with pytest.raises(LoginRefused, match=r"clock is right: check sense.totp_secret"):
        session.token()
    assert len(guarded.records.requests("authenticate/mfa")) == 2
    with pytest.raises(LoginRefused):
        session.token()
    assert len(guarded.records.requests("authenticate/mfa")) == 2


@pytest.mark.parametrize("off_s", [-120.0, 120.0, 4000.0])
def test_a_clock_that_is_off_is_corrected_by_senses(guarded, tmp_path, clock, off_s, caplog):
    guarded.faults.clock_offset_s = off_s
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=guarded.totp_secret))
    assert session.get(STATUS)
    assert f"{'behind' if off_s > 0 else 'ahead of'} Sense's" in caplog.text


def test_a_clock_that_is_off_is_named_and_tried_again_in_an_hour(guarded, tmp_path, clock):
    guarded.faults.clock_offset_s = 300.0
    guarded.faults.refuse(400, path="authenticate/mfa", body='{"error_reason": "client_time is invalid"}')
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=guarded.totp_secret))
    with pytest.raises(ClockOff, match=r"clock is (299|300|301) s behind Sense's: set the clock"):
        session.token()
    guarded.faults.clear()
    clock.advance(3601)
    assert session.get(STATUS)


def test_an_account_that_gets_locked_by_a_code_is_named(guarded, tmp_path, clock):
    guarded.faults.refuse(401, path="authenticate/mfa", body='{"error_reason": "Your account is locked"}')
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=guarded.totp_secret))
    with pytest.raises(LoginRefused, match="account is locked"):
        session.token()
    assert len(guarded.records.requests("authenticate/mfa")) == 1


# --- the file


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


def test_the_session_of_another_account_is_left_alone(cloud, tmp_path, clock, caplog):
    session_of(cloud, tmp_path, clock).token()
    other = session_of(cloud, tmp_path, clock, credentials=known(cloud, email="other@example.com"))
    with pytest.raises(LoginRefused):
        other.account()
    assert "belongs to another account" in caplog.text
    assert "example.com" not in caplog.text


def test_whoever_configured_no_password_takes_any_session(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).token()
    assert session_of(cloud, tmp_path, clock, credentials=Credentials(email="other@example.com")).get(STATUS)


def test_each_token_is_learned_for_redaction(cloud, tmp_path, clock):
    learned = []
    session = session_of(cloud, tmp_path, clock, learn=learned.append)
    first = session.token()
    clock.advance(4000)
    second = session.token()
    assert {first, second} < set(learned)
    assert len(set(learned)) == 4
