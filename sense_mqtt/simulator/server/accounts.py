"""The account at the simulated Sense: password, two-factor login, tokens that expire and rotate. Thread-safe."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sense_mqtt.simulator.server.tokens import sign, totp_fits

MFA_TOKEN_LIFE_S = 600
CLIENT_TIME_TOLERANCE_S = 300

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP status and its JSON body."""

    status: int
    body: Body


@dataclass(slots=True)
class AccountRules:
    """How strict the account is; may be changed at any time."""

    token_life_s: float = 86_400.0
    mfa: bool = False
    locked: bool = False  # by hand: no login at all
    lockout_after: int = 5  # wrong passwords or codes in a row
    lockout_s: float = 900.0
    grace: bool = False  # the refresh token before the present one still works
    bind_device: bool = True  # a renewal must come from the device id that logged in (inferred)
    refused_status: int = 401  # for a wrong password; 400 has been seen too


def refusal(reason: str, **more: str) -> Body:
    return {"status": "error", **more, "error_reason": reason}


@dataclass(slots=True)
class _LoginSession:
    """The one living refresh token of a login, and the one before it."""

    device_id: str
    present: str
    former: str = ""


class SimulatedAccount:
    """Grants and checks tokens. Wall time only: it knows nothing of the house's clock."""

    def __init__(self, email: str, password: str, totp_secret: str, now: Callable[[], float]) -> None:
        self.email, self.password, self.totp_secret = email, password, totp_secret
        self.user_id, self.account_id = 900_201, 900_301
        self.rules = AccountRules()
        self._now = now
        self._lock = threading.RLock()
        self._secret = secrets.token_bytes(64)
        self._tokens: dict[str, float] = {}  # access token -> expiry
        self._sessions: list[_LoginSession] = []
        self._mfa_tokens: dict[str, tuple[float, str]] = {}  # -> expiry, device id
        self._failures = 0
        self._locked_until = 0.0

    def log_in(self, form: Mapping[str, str], device_id: str) -> HttpResponse:
        """Answer `authenticate`; 200 holds the tokens, without the monitors."""
        with self._lock:
            if not {"email", "password"} <= form.keys():
                return HttpResponse(400, refusal("Missing email or password"))
            if self._is_locked():
                return HttpResponse(
                    401, refusal("Your account is locked. Try again later.", error_type="account_locked")
                )
            if (form["email"].lower(), form["password"]) != (self.email.lower(), self.password):
                return self._refuse("Invalid email or password", "invalid_credentials")
            if self.rules.mfa:
                return self._ask_for_code(device_id)
            return self._grant_login(device_id)

    def log_in_with_code(self, form: Mapping[str, str]) -> HttpResponse:
        """Answer `authenticate/mfa`: mandatory are totp, mfa_token and a client_time that is near now (SE#79)."""
        with self._lock:
            if not {"totp", "mfa_token", "client_time"} <= form.keys():
                return HttpResponse(400, refusal("Missing totp, mfa_token or client_time"))
            if self._is_locked():
                return HttpResponse(
                    401, refusal("Your account is locked. Try again later.", error_type="account_locked")
                )
            expiry, device_id = self._mfa_tokens.get(form["mfa_token"], (0.0, ""))
            if expiry < self._now():
                return HttpResponse(401, refusal("Invalid or expired mfa_token"))
            if not self._is_near(form["client_time"]):
                return HttpResponse(400, refusal("client_time is invalid: it must be the present time"))
            if not totp_fits(self.totp_secret, form["totp"], self._now()):
                return self._refuse("Invalid verification code", "invalid_totp")
            del self._mfa_tokens[form["mfa_token"]]
            return self._grant_login(device_id)

    def renew(self, form: Mapping[str, str], device_id: str) -> HttpResponse:
        """Answer `renew`: a new access token and a new refresh token; the old one is spent."""
        with self._lock:
            if not {"user_id", "refresh_token"} <= form.keys():
                return HttpResponse(400, refusal("Missing user_id or refresh_token"))
            session = self._session_of(form["refresh_token"])
            foreign = self.rules.bind_device and session is not None and session.device_id != device_id
            if session is None or foreign or form["user_id"] != str(self.user_id):
                return HttpResponse(401, refusal("Unauthorized"))
            if form["refresh_token"] == session.present:
                session.former, session.present = session.present, _refresh_token()
            token, expires = self._grant(device_id)
            told = {"roles": "user", "refresh_token": session.present, "expires": _iso(expires)}
            return HttpResponse(200, self._identity() | {"access_token": token, "totp_enabled": self.rules.mfa} | told)

    def log_out(self, token: str) -> None:
        """End every session: the access tokens and the refresh tokens."""
        with self._lock:
            if self.allows(token):
                self._tokens.clear()
                self._sessions.clear()

    def allows(self, token: str) -> bool:
        with self._lock:
            return self._tokens.get(token, 0.0) > self._now()

    def expire_access_tokens(self) -> None:
        """Refuse every access token from now on, as when Sense lets them go early."""
        with self._lock:
            self._tokens.clear()

    def expire_refresh_tokens(self) -> None:
        """Refuse every renewal from now on: only a login helps."""
        with self._lock:
            self._sessions.clear()

    def _is_locked(self) -> bool:
        return self.rules.locked or self._now() < self._locked_until

    def _refuse(self, reason: str, kind: str) -> HttpResponse:
        self._failures += 1
        if self._failures >= self.rules.lockout_after:
            self._locked_until = self._now() + self.rules.lockout_s
            self._failures = 0
        return HttpResponse(self.rules.refused_status, refusal(reason, title="Invalid credentials", error_type=kind))

    def _ask_for_code(self, device_id: str) -> HttpResponse:
        token = secrets.token_urlsafe(24)
        self._mfa_tokens[token] = (self._now() + MFA_TOKEN_LIFE_S, device_id)
        reason = "Multi-factor authentication required"
        return HttpResponse(
            401, {"status": "mfa_required", "mfa_token": token, "mfa_type": "totp", "error_reason": reason}
        )

    def _grant_login(self, device_id: str) -> HttpResponse:
        self._failures = 0
        session = _LoginSession(device_id, _refresh_token())
        self._sessions.append(session)
        token, _ = self._grant(device_id)
        told = {"access_token": token, "refresh_token": session.present, "totp_enabled": self.rules.mfa}
        return HttpResponse(200, self._identity() | told)

    def _identity(self) -> Body:
        return {"authorized": True, "account_id": self.account_id, "user_id": self.user_id}

    def _grant(self, device_id: str) -> tuple[str, float]:
        expires = float(int(self._now() + self.rules.token_life_s))
        identity = {"userId": self.user_id, "accountId": self.account_id, "roles": "user"}
        dhash = hashlib.sha256(device_id.encode()).hexdigest()[:5]
        claims = {"iss": "Sense Inc", "exp": int(expires), **identity, "dhash": dhash}
        token = sign(claims, self._secret)
        self._tokens = {kept: expiry for kept, expiry in self._tokens.items() if expiry > self._now()}
        self._tokens[token] = expires
        return token, expires

    def _session_of(self, refresh_token: str) -> _LoginSession | None:
        for session in self._sessions:
            if refresh_token == session.present or (self.rules.grace and refresh_token == session.former):
                return session
        return None

    def _is_near(self, client_time: str) -> bool:
        try:
            told = datetime.strptime(client_time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            return False
        return abs(told.timestamp() - self._now()) <= CLIENT_TIME_TOLERANCE_S


def _refresh_token() -> str:
    return base64.b64encode(secrets.token_bytes(36)).decode()  # 48 characters of the base64 alphabet


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
