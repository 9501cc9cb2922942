"""Tokens, their life, and how a session is stored."""

import base64
import json

import pytest

from sense_mqtt.sense.auth.tokens import (
    Account,
    Monitor,
    age_s,
    fingerprint,
    parse_session,
    renew_after_s,
    renewed_session,
    restore,
    store,
)

NOW = 1_795_000_000.0


def jwt(claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"t1.v2.eyJhbGciOiJIUzUxMiJ9.{middle}.c2ln"


def login(**more):
    return {"access_token": jwt({"exp": NOW + 3600}), "refresh_token": "first", "user_id": 7, **more}


RENEWALS = [(86_400, 85_500), (3_600, 2_880), (30, 24), (2, 1.6), (None, 14_400)]


@pytest.mark.parametrize(("life_s", "after_s"), RENEWALS)
def test_a_token_is_renewed_late_but_in_time(life_s, after_s):
    assert renew_after_s(life_s) == after_s


LIVES = [
    ("the JWT tells it", {}, 3600),
    ("the answer tells it", {"access_token": "opaque", "expires": "2026-11-18T13:13:20.000Z"}, 7600),
    ("nobody tells it", {"access_token": "opaque"}, None),
    ("no JWT in it", {"access_token": "t1.v2.a.%%%.b"}, None),
    ("no claims in it", {"access_token": jwt([])}, None),
    ("no exp in it", {"access_token": jwt({"iss": "Sense Inc"})}, None),
    ("exp is no number", {"access_token": jwt({"exp": "soon"})}, None),
    ("exp is over", {"access_token": jwt({"exp": NOW - 1})}, None),
    ("five parts as of old", {"access_token": "t1.900301.900201.1.abc"}, None),
]


@pytest.mark.parametrize(("more", "life_s"), [row[1:] for row in LIVES], ids=[row[0] for row in LIVES])
def test_the_life_of_a_token(more, life_s):
    told = parse_session(login(**more), NOW, NOW, "")
    assert told is not None
    assert told.life_s == (pytest.approx(life_s) if life_s else None)


def test_the_life_goes_by_senses_clock_not_by_ours():
    ours = NOW - 86_400 * 365
    told = parse_session(login(), ours, NOW, "")
    assert told is not None
    assert told.life_s == 3600
    assert age_s(told, ours + 60) == 60


def test_a_token_from_the_future_is_of_any_age():
    told = parse_session(login(), NOW, NOW, "")
    assert told is not None
    assert age_s(told, NOW - 10) == float("inf")


UNUSABLE = [{}, {"access_token": "x"}, {"user_id": 7}, {"access_token": "", "user_id": 7}, {"access_token": 5}]


@pytest.mark.parametrize("answer", UNUSABLE)
def test_an_answer_without_token_or_user_is_none(answer):
    assert parse_session(answer, NOW, NOW, "") is None


MONITORS = [
    ("none given", None, ()),
    ("an empty list", [], ()),
    ("one with the sun", [{"id": 1, "time_zone": "Europe/Berlin", "solar_connected": True}], (1,)),
    ("two, one as text", [{"id": 1}, {"id": "2"}], (1, 2)),
    ("damaged rows", [None, 5, {}, {"id": None}, {"id": True}, {"id": 3}], (3,)),
]


@pytest.mark.parametrize(("rows", "ids"), [row[1:] for row in MONITORS], ids=[row[0] for row in MONITORS])
def test_the_monitors_of_the_account(rows, ids):
    told = parse_session(login(monitors=rows), NOW, NOW, "")
    assert told is not None
    assert tuple(monitor.id for monitor in told.account.monitors) == ids


@pytest.mark.parametrize("key", ["solar_configured", "solar_connected"])
def test_a_monitor_knows_the_sun(key):
    told = parse_session(login(monitors=[{"id": 1, "time_zone": "UTC", key: True}]), NOW, NOW, "")
    assert told is not None
    assert told.account == Account(7, (Monitor(1, "UTC", solar=True),))


def test_a_renewal_keeps_the_monitors_that_it_does_not_name():
    before = parse_session(login(monitors=[{"id": 1}]), NOW, NOW, "me")
    assert before is not None
    after = renewed_session(before, {"access_token": "second", "refresh_token": "rotated"}, NOW + 5, NOW + 5)
    assert after is not None
    assert (after.account, after.owner) == (before.account, "me")
    assert (after.access_token, after.refresh_token) == ("second", "rotated")


def test_a_renewal_without_a_new_refresh_token_keeps_the_old_one():
    before = parse_session(login(), NOW, NOW, "")
    assert before is not None
    after = renewed_session(before, {"access_token": "second"}, NOW, NOW)
    assert after is not None
    assert after.refresh_token == "first"
    assert renewed_session(before, {}, NOW, NOW) is None


@pytest.mark.parametrize("more", [{}, {"access_token": "opaque"}, {"refresh_token": None}])
def test_what_is_stored_comes_back(more):
    told = parse_session(login(monitors=[{"id": 1, "solar_connected": True}], **more), NOW, NOW, "me")
    assert told is not None
    assert restore(json.loads(json.dumps(store(told)))) == told


@pytest.mark.parametrize("stored", [{}, {"received_at": 5}, {"access_token": "x", "user_id": 7}])
def test_a_damaged_store_is_none(stored):
    assert restore(stored) is None


def test_no_repr_shows_a_token():
    told = parse_session(
        login(access_token="hush-hush", refresh_token="top-secret"), NOW, NOW, fingerprint("me@example.com")
    )
    assert "hush" not in repr(told)
    assert "secret" not in repr(told)


def test_a_fingerprint_tells_accounts_apart_without_telling_who():
    assert fingerprint(" Me@Example.com") == fingerprint("me@example.com")
    assert fingerprint("me@example.com") != fingerprint("you@example.com")
    assert "me" not in fingerprint("me@example.com")
    assert fingerprint(None) == fingerprint("") == ""
