"""What a login leaves behind: tokens, their life, the account's monitors. Pure."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sense_mqtt.core.timestamps import read_timestamp

LIFE_USED = 0.8  # of a token's life, before it is renewed...
ROOM_S = 900.0  # ...or so long before its end (BP: 15 minutes), whichever is later
BLIND_RENEWAL_S = 4 * 3_600.0  # for tokens that do not tell their end; they live 1 to 24 hours


@dataclass(frozen=True, slots=True)
class Monitor:
    """One monitor of the account."""

    id: int
    time_zone: str | None = None  # IANA
    solar: bool = False
    serial: str | None = field(default=None, repr=False)  # a secret; known only so that it can be kept out


@dataclass(frozen=True, slots=True)
class Account:
    """Whose session this is."""

    user_id: int
    monitors: tuple[Monitor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as it is stored: the fields are the keys on disk. Its tokens are in no repr."""

    version: int = 1
    owner: str = field(default="", repr=False)  # fingerprint of the e-mail address
    user_id: int
    monitors: tuple[Monitor, ...] = ()
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    received_at: float  # wall clock of this machine, s
    life_s: float | None = None  # from then on, by Sense's clock; None if the token does not tell

    @property
    def account(self) -> Account:
        return Account(self.user_id, self.monitors)


SESSION_FILE = TypeAdapter(StoredSession)


def renew_after_s(life_s: float | None) -> float:
    """Return the age at which a token should be renewed."""
    return BLIND_RENEWAL_S if life_s is None else max(life_s * LIFE_USED, life_s - ROOM_S)


def age_s(session: StoredSession, wall: float) -> float:
    """Return how old the token is; infinite where the clock says that it comes from the future."""
    age = wall - session.received_at
    return age if age >= 0 else float("inf")


def parse_session(answer: Mapping[str, Any], wall: float, sense_wall: float, owner: str) -> StoredSession | None:
    """Read the answer of a login, received at `wall`, or `sense_wall` by Sense's clock; None where it is none."""
    access_token, user_id = answer.get("access_token"), _whole(answer.get("user_id"))
    if not isinstance(access_token, str) or not access_token or user_id is None:
        return None
    return StoredSession(
        owner=owner,
        user_id=user_id,
        monitors=_monitors(answer.get("monitors")),
        access_token=access_token,
        refresh_token=_text(answer.get("refresh_token")),
        received_at=wall,
        life_s=_life_s(access_token, answer.get("expires"), sense_wall),
    )


def renewed_session(
    session: StoredSession, answer: Mapping[str, Any], wall: float, sense_wall: float
) -> StoredSession | None:
    """Merge the answer of a renewal, which has no monitors, into what we had."""
    after = parse_session({"user_id": session.user_id, **answer}, wall, sense_wall, session.owner)
    return after and replace(
        after,
        monitors=after.monitors or session.monitors,
        refresh_token=after.refresh_token or session.refresh_token,
    )


def with_monitors(session: StoredSession, found: Iterable[Monitor]) -> StoredSession:
    """Add monitors that no login has told of."""
    monitors = {monitor.id: monitor for monitor in (*session.monitors, *found)}
    return replace(session, monitors=tuple(monitors.values()))


def fingerprint(email: str | None) -> str:
    """Return what tells one account from another without telling the address; empty for none."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:16] if email else ""


def store(session: StoredSession) -> dict[str, Any]:
    """Return the session as a JSON object."""
    stored: dict[str, Any] = SESSION_FILE.dump_python(session, mode="json")
    return stored


def restore(stored: Mapping[str, Any]) -> StoredSession | None:
    """Return the session that `store` stored; None if it cannot be read."""
    try:
        session = SESSION_FILE.validate_python(stored)
    except ValidationError:
        return None
    return session if session.access_token else None


def _life_s(access_token: str, expires: object, sense_wall: float) -> float | None:
    ends_at = _claimed_end(access_token) or read_timestamp(expires)
    if ends_at is None or ends_at <= sense_wall:
        return None
    return ends_at - sense_wall


def _claimed_end(access_token: str) -> float | None:
    """`exp` of the JWT in `t1.v2.<header>.<claims>.<signature>`."""
    parts = access_token.split(".")
    if len(parts) < 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[-2] + "=" * (-len(parts[-2]) % 4)))
        return float(claims["exp"])
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError):
        return None


def _monitors(rows: object) -> tuple[Monitor, ...]:
    if not isinstance(rows, list):
        return ()
    return tuple(monitor for row in rows if isinstance(row, dict) and (monitor := read_monitor(row)))


def read_monitor(row: Mapping[str, Any]) -> Monitor | None:
    """Read one monitor, as the login and its overview describe it; None where it is none."""
    number = _whole(row.get("id"))
    if number is None:
        return None
    solar = any(row.get(key) is True for key in ("solar", "solar_configured", "solar_connected"))
    return Monitor(number, _text(row.get("time_zone")), solar, _text(row.get("serial_number") or row.get("serial")))


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
