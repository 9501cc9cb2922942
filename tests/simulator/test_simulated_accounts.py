"""The simulated account: passwords, codes, tokens that expire and rotate, locks."""

import base64
import json

import pytest

from sense_mqtt.simulator.server.accounts import SimulatedAccount
from sense_mqtt.simulator.server.tokens import totp, totp_fits

NOW = 1_795_000_000.0
SECRET = "JBSWY3DPEHPK3PXP"
PASSWORD = "pass & word"
RFC_6238_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_6238 = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def account(clock):
    return SimulatedAccount("me@example.com", PASSWORD, SECRET, clock)


def log_in(account, password=PASSWORD, device="d"):
    return account.log_in({"email": "me@example.com", "password": password}, device)


def renew(account, refresh_token, device="d"):
    return account.renew({"user_id": str(account.user_id), "refresh_token": refresh_token}, device)


@pytest.mark.parametrize(("at", "code"), RFC_6238)
def test_codes_are_those_of_rfc_6238(at, code):
    assert totp(RFC_6238_SECRET, at) == code


def test_codes_of_the_half_minute_before_and_after_fit():
    assert [totp_fits(SECRET, totp(SECRET, NOW + off), NOW) for off in (-60, -30, 0, 30, 60)] == [0, 1, 1, 1, 0]


def test_a_token_has_five_parts_and_the_claims_sense_has(account):
    token = log_in(account).body["access_token"]
    parts = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(parts[3] + "=="))
    assert (parts[:2], len(parts)) == (["t1", "v2"], 5)
    assert claims["exp"] == NOW + 86_400
    assert claims.keys() == {"iss", "exp", "userId", "accountId", "roles", "dhash"}


def test_a_token_is_good_until_it_expires(account, clock):
    account.rules.token_life_s = 30
    token = log_in(account).body["access_token"]
    assert account.allows(token)
    clock.now += 30
    assert not account.allows(token)


def test_a_refresh_token_is_good_once(account):
    first = log_in(account).body["refresh_token"]
    second = renew(account, first)
    assert (second.status, len(second.body["refresh_token"])) == (200, 48)
    assert renew(account, first).status == 401
    assert renew(account, second.body["refresh_token"]).status == 200


def test_with_grace_the_former_refresh_token_works_and_gives_the_present_one(account):
    account.rules.grace = True
    first = log_in(account).body["refresh_token"]
    second = renew(account, first).body["refresh_token"]
    assert renew(account, first).body["refresh_token"] == second
    third = renew(account, second).body["refresh_token"]
    assert (renew(account, first).status, renew(account, third).status) == (401, 200)


def test_renewal_tells_its_expiry_and_no_monitors(account):
    body = renew(account, log_in(account).body["refresh_token"]).body
    claims = json.loads(base64.urlsafe_b64decode(body["access_token"].split(".")[3] + "=="))
    assert body["expires"] == "2026-11-19T11:06:40.000Z"
    assert claims["exp"] == NOW + 86_400
    assert "monitors" not in body


REFUSED_RENEWALS = [
    ("another device id", {}, "other", 401),
    ("another user", {"user_id": "1"}, "d", 401),
    ("no such token", {"refresh_token": "nope"}, "d", 401),
]


@pytest.mark.parametrize(
    ("changes", "device", "status"), [case[1:] for case in REFUSED_RENEWALS], ids=[case[0] for case in REFUSED_RENEWALS]
)
def test_refused_renewals(account, changes, device, status):
    form = {"user_id": str(account.user_id), "refresh_token": log_in(account).body["refresh_token"]}
    assert account.renew(form | changes, device).status == status


def test_a_form_that_lacks_something_is_bad(account):
    answers = [account.log_in({"email": "x"}, ""), account.renew({}, ""), account.log_in_with_code({"totp": "1"})]
    assert [answer.status for answer in answers] == [400, 400, 400]


def test_logging_out_ends_access_and_renewal(account):
    body = log_in(account).body
    account.log_out(body["access_token"])
    assert not account.allows(body["access_token"])
    assert renew(account, body["refresh_token"]).status == 401


def test_five_wrong_passwords_lock_the_account_for_a_while(account, clock):
    reasons = [log_in(account, "wrong").body["error_type"] for _ in range(6)]
    assert reasons == ["invalid_credentials"] * 5 + ["account_locked"]
    assert log_in(account).body["error_type"] == "account_locked"
    clock.now += 900
    assert log_in(account).status == 200


def test_an_account_can_be_locked_by_hand(account):
    account.rules.locked = True
    assert log_in(account).status == 401


CODES = [
    ("the right code", {}, 200),
    ("a wrong code", {"totp": "000000"}, 401),
    ("an unknown mfa_token", {"mfa_token": "no"}, 401),
    ("a client_time that is off", {"client_time": "2026-11-18T10:06:40Z"}, 400),
    ("a client_time without its form", {"client_time": "now"}, 400),
]


@pytest.mark.parametrize(("changes", "status"), [case[1:] for case in CODES], ids=[case[0] for case in CODES])
def test_two_factor_login(account, changes, status):
    account.rules.mfa = True
    asked = log_in(account)
    assert (asked.status, asked.body["status"], asked.body["mfa_type"]) == (401, "mfa_required", "totp")
    assert "Multi-factor" in asked.body["error_reason"]
    form = {
        "totp": totp(SECRET, NOW),
        "mfa_token": asked.body["mfa_token"],
        "client_time": "2026-11-18T11:06:40Z",
    }
    assert account.log_in_with_code(form | changes).status == status


def test_an_mfa_token_without_client_time_is_refused(account):
    account.rules.mfa = True
    token = log_in(account).body["mfa_token"]
    assert account.log_in_with_code({"totp": totp(SECRET, NOW), "mfa_token": token}).status == 400


def test_tokens_can_be_let_go_early(account):
    body = log_in(account).body
    account.expire_access_tokens()
    assert not account.allows(body["access_token"])
    renewed = renew(account, body["refresh_token"]).body
    assert account.allows(renewed["access_token"])
    account.expire_refresh_tokens()
    assert renew(account, renewed["refresh_token"]).status == 401
