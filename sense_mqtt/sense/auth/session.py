"""The session with Sense: stores tokens, renews them in time, logs in within the budget, or waits for `login`."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sense_mqtt.clock import Clock
from sense_mqtt.errors import LoginRefused, SenseMqttError, SenseUnavailable, StateError, TokenRefused
from sense_mqtt.items import Auth, AuthChanged
from sense_mqtt.sense.auth.login_budget import LoginBudget
from sense_mqtt.sense.auth.password_login import TRY_LATER, Credentials, PasswordLogin
from sense_mqtt.sense.auth.renewal import RenewalSchedule
from sense_mqtt.sense.auth.session_file import SessionFile
from sense_mqtt.sense.auth.tokens import (
    Account,
    Monitor,
    StoredSession,
    age_s,
    renewed_session,
    restore,
    store,
    with_monitors,
)
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.state_file import Stamp, StateFile

__all__ = ["Account", "Credentials", "Monitor", "Session"]

logger = logging.getLogger(__name__)

LOG_LEVELS: dict[Auth, int] = {
    "starting": logging.DEBUG,
    "ok": logging.INFO,
    "unavailable": logging.WARNING,
    "auth_required": logging.ERROR,
}


def _ignore(*_secrets: str) -> None:
    """Keep no secret out of anything."""


class Session:
    """Thread-safe; renewal and login happen once, however many threads or processes ask. Raises `SenseMqttError`."""

    def __init__(
        self,
        api: SenseApi,
        state_dir: Path,
        credentials: Credentials,
        *,
        clock: Clock,
        post: Callable[[AuthChanged], None],
        renewal_wait_s: Callable[[int], float],  # failed renewals in a row, from 0 -> s until the next one
        add_temporary_secrets: Callable[..., None] = _ignore,  # called with the tokens of each login, for redaction
    ) -> None:
        self._api = api
        self._file = SessionFile(state_dir, api.device_id)
        self._credentials = credentials
        self._password_login = PasswordLogin(api, LoginBudget(StateFile(state_dir / "logins.json")), credentials, clock)
        self._clock = clock
        self._post = post
        self._add_secrets = add_temporary_secrets
        self._what = f"Sense login of account {credentials.account}" if credentials.account else "Sense login"
        self._lock = threading.RLock()
        self._auth: Auth = "starting"
        self._reason = ""
        self._account: Account | None = None
        self._current: StoredSession | None = None
        self._stamp: Stamp | None = None
        self._renewal = RenewalSchedule(renewal_wait_s)
        self._refused_token: str | None = None  # the access token that Sense refused
        self._paths_rejecting_token: set[str] = set()  # paths, or groups, that refused a fresh token

    @property
    def auth(self) -> Auth:
        return self._auth

    @property
    def logins_last_hour(self) -> int:
        return self._password_login.count_last_hour()

    def account(self) -> Account:
        """Return the account; asks Sense only where nothing is stored."""
        with self._lock:
            self._load_if_changed()
            return self._account or self._current_session().account

    def token(self) -> str:
        """Return an access token that is good for now. Raises `LoginRefused` at once, without a call, while blocked."""
        with self._lock:
            session = self._current_session()
            return (self._refresh(session) if self._is_due() else session).access_token

    def token_refused(self, token: str) -> None:
        """Sense refused this token: the next `token()` renews, unless that has happened meanwhile."""
        with self._lock:
            self._refused_token = token

    def get(self, path: str, params: Mapping[str, str | int] | None = None, *, group: str | None = None) -> Any:
        """Return what Sense answers, `{user}` filled in. A refused token is renewed, once for each path or `group`."""
        token = self.token()
        path = path.replace("{user}", str(self.account().user_id))
        try:
            return self._ask(path, params, token)
        except TokenRefused:
            if {path, group} & self._paths_rejecting_token:
                raise
            self.token_refused(token)
        token = self.token()
        try:
            return self._ask(path, params, token)
        except TokenRefused:
            self._paths_rejecting_token.add(group or path)
            raise

    def _ask(self, path: str, params: Mapping[str, str | int] | None, token: str) -> Any:
        answer = self._api.get(path, params, token=token)
        self._paths_rejecting_token.discard(path)
        return answer

    def log_in(self, email: str, password: str, code: Callable[[], str]) -> Account:
        """Log in for a person who sits there; `code` is asked where the account has two-factor login."""
        session = self._password_login.interactive(email, password, code)
        with self._lock, self._file.locked():
            return self._store(session, "logged in").account

    def add_monitors(self, found: Iterable[Monitor]) -> Account:
        """Take in monitors that were found without a login, and store them with the session."""
        with self._lock:
            session = self._current_session()
            with self._file.locked():
                self._load_if_changed()
                return self._store(with_monitors(self._current or session, found), "monitors were added").account

    # --- with `_lock` held

    def _current_session(self) -> StoredSession:
        self._load_if_changed()
        if self._current is not None:
            return self._current
        self._password_login.raise_if_blocked()
        with self._file.locked():
            self._load_if_changed()
            return self._current or self._log_in()

    def _load_if_changed(self) -> None:
        """Use the session of the file if the file has changed since it was last read."""
        stamp = self._file.stamp()
        if stamp is None and self._current is not None and self._file.directory_was_replaced():
            self._file.store(store(self._current))
        if stamp is None or stamp == self._stamp:
            return
        self._file.warn_if_readable_by_others()
        session = restore(self._read())
        self._stamp = stamp
        if session is None:
            return
        if self._credentials.belong_to_other_account(session.owner):
            logger.warning("the stored session belongs to another account than sense.email and is not used")
            return
        self._use(session)
        if not self._renewal.is_expired(self._clock.now().monotonic):
            self._set_auth("ok", "stored session loaded")

    def _read(self) -> Mapping[str, Any]:
        try:
            return self._file.load() or {}
        except StateError as error:
            if self._current is None:
                self._set_auth("unavailable", str(error))
                raise
            logger.warning("session.json cannot be read; continuing with the session in memory: %s", error)
            return {}

    def _is_due(self) -> bool:
        session = self._current
        refused = session is not None and session.access_token == self._refused_token
        return refused or self._renewal.is_due(self._clock.now().monotonic)

    def _refresh(self, session: StoredSession) -> StoredSession:
        with self._file.locked():
            self._load_if_changed()  # another process may have renewed, which uses up our refresh token
            session = self._current or session
            if not self._is_due():
                return session
            self._renewal.raise_if_paused(self._clock.now().monotonic)  # many ask
            return self._renew(session)

    def _renew(self, session: StoredSession) -> StoredSession:
        form = {"user_id": str(session.account.user_id), "refresh_token": session.refresh_token or ""}
        try:
            answer = self._api.post("renew", form | {"is_access_token": "true"})
        except TokenRefused as error:
            logger.warning("the session cannot be renewed (%s): logging in again", error)
            self._current = None  # its refresh token is used up; another process may store a new one
            return self._log_in()
        except TRY_LATER as error:
            return self._postpone_renewal(session, error)
        now = self._clock.now().wall
        after = renewed_session(session, answer, now, now + self._api.clock_error_s)
        if after is None:
            return self._postpone_renewal(session, SenseUnavailable("Sense's answer to renew holds no token"))
        return self._store(after, "renewed")

    def _postpone_renewal(self, session: StoredSession, error: SenseMqttError) -> StoredSession:
        """Continue with the old token while it is good; else raise `error` until the next renewal is due."""
        now = self._clock.now().monotonic
        if self._renewal.is_expired(now) or session.access_token == self._refused_token:
            self._set_auth("unavailable", str(error))
            self._renewal.pause(error, now)
            raise error
        logger.debug("the session could not be renewed yet: %s", error)
        self._renewal.retry_soon(now)
        return session

    def _log_in(self) -> StoredSession:
        try:
            return self._store(self._password_login.automatic(), "logged in")
        except (LoginRefused, *TRY_LATER) as error:
            self._set_auth("auth_required" if isinstance(error, LoginRefused) else "unavailable", str(error))
            raise

    def _store(self, session: StoredSession, how: str) -> StoredSession:
        """Store, then use: a token that is used before it is stored is lost in a crash, which costs a login."""
        self._file.store(store(session))
        self._stamp = self._file.stamp()
        self._use(session)
        self._set_auth("ok", how)
        return session

    def _use(self, session: StoredSession) -> None:
        now = self._clock.now()
        self._current, self._account, self._refused_token = session, session.account, None
        self._renewal.start(session.life_s, age_s(session, now.wall), now.monotonic)
        self._password_login.unblock()
        serials = (monitor.serial for monitor in session.account.monitors)
        self._add_secrets(*filter(None, (session.access_token, session.refresh_token, *serials)))

    def _set_auth(self, auth: Auth, reason: str) -> None:
        is_new, is_news = auth != self._auth, reason != self._reason
        self._auth, self._reason = auth, reason
        if is_new or (is_news and auth == "auth_required"):  # a person has to know what Sense said last
            logger.log(LOG_LEVELS[auth], "%s %s: %s", self._what, auth, reason)
        if is_new:
            self._post(AuthChanged(auth, reason))
