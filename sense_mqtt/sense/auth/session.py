"""Our standing with Sense: renews in time, logs in seldom, and waits for a person where only a person helps."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sense_mqtt.clock import Clock
from sense_mqtt.errors import LoginRefused, SenseMqttError, SenseUnavailable, StateError, TokenRefused
from sense_mqtt.items import Auth, AuthChanged
from sense_mqtt.sense.auth.login_budget import Limits, LoginBudget
from sense_mqtt.sense.auth.password_login import NOT_NOW, Credentials, Logins
from sense_mqtt.sense.auth.tokens import (
    Account,
    Monitor,
    StoredSession,
    age_s,
    renew_after_s,
    renewed,
    restore,
    store,
    with_monitors,
)
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.state_file import SessionFile, Stamp, StateFile

__all__ = ["Account", "Credentials", "Monitor", "Session"]

log = logging.getLogger(__name__)

RENEWAL_RETRY_S = 30.0  # while the old token still lives
LOG_LEVELS: dict[Auth, int] = {
    "starting": logging.DEBUG,
    "ok": logging.INFO,
    "unavailable": logging.WARNING,
    "auth_required": logging.ERROR,
}


class Session:
    """Thread-safe; renewal and login happen once, however many threads or processes ask. Raises `SenseMqttError`s."""

    def __init__(
        self,
        api: SenseApi,
        state_dir: Path,
        credentials: Credentials,
        *,
        clock: Clock,
        post: Callable[[AuthChanged], None],
        waits: Callable[[], Iterator[float]],  # between renewals that fail, one row for each outage
        limits: Limits | None = None,
        learn: Callable[[str], None] | None = None,  # told of each token, for redaction
    ) -> None:
        self._api = api
        self._file = SessionFile(state_dir, api.device_id)
        self._credentials = credentials
        self._logins = Logins(api, LoginBudget(StateFile(state_dir / "logins.json"), limits), credentials, clock)
        self._clock = clock
        self._post = post
        self._learn = learn or (lambda _secret: None)
        self._alone = threading.RLock()
        self._auth: Auth = "starting"
        self._account: Account | None = None
        self._standing: StoredSession | None = None
        self._stamp: Stamp | None = None
        self._renew_at = self._ends_at = 0.0  # monotonic
        self._refused: str | None = None  # the access token that Sense refused
        self._make_waits, self._waits = waits, waits()
        self._rest_until = 0.0  # monotonic; no renewal before, whoever asks
        self._rests_for: SenseMqttError | None = None
        self._stubborn: set[str] = set()  # paths, or groups, that refused a fresh token: they say nothing of it

    @property
    def auth(self) -> Auth:
        return self._auth

    @property
    def logins_last_hour(self) -> int:
        return self._logins.count_last_hour()

    def account(self) -> Account:
        """Return the account; asks Sense only where nothing is stored."""
        with self._alone:
            self._adopt()
            return self._account or self._stand().account

    def token(self) -> str:
        """Return an access token that is good for now. Raises `LoginRefused` at once, without a call, while parked."""
        with self._alone:
            standing = self._stand()
            return (self._refresh(standing) if self._is_due() else standing).access_token

    def token_refused(self, token: str) -> None:
        """Sense refused this token: the next `token()` renews, unless that has happened meanwhile."""
        with self._alone:
            self._refused = token

    def get(self, path: str, params: Mapping[str, str | int] | None = None, *, group: str | None = None) -> Any:
        """Return what Sense answers, `{user}` filled in. A refused token is renewed, once for each path or `group`."""
        token = self.token()
        path = path.replace("{user}", str(self.account().user_id))
        try:
            return self._ask(path, params, token)
        except TokenRefused:
            if {path, group} & self._stubborn:
                raise
            self.token_refused(token)
        token = self.token()
        try:
            return self._ask(path, params, token)
        except TokenRefused:
            self._stubborn.add(group or path)
            raise

    def _ask(self, path: str, params: Mapping[str, str | int] | None, token: str) -> Any:
        answer = self._api.get(path, params, token=token)
        self._stubborn.discard(path)
        return answer

    def log_in(self, email: str, password: str, code: Callable[[], str]) -> Account:
        """Log in for a person who sits there; `code` is asked where the account has two-factor login."""
        standing = self._logins.by_hand(email, password, code)
        with self._alone, self._file.locked():
            return self._keep(standing, "logged in").account

    def add_monitors(self, found: Iterable[Monitor]) -> Account:
        """Take in monitors that were found without a login, and store them with the session."""
        with self._alone:
            standing = self._stand()
            with self._file.locked():
                self._adopt()
                return self._keep(with_monitors(self._standing or standing, found), "monitors were added").account

    # --- with `_alone` held

    def _stand(self) -> StoredSession:
        self._adopt()
        if self._standing is not None:
            return self._standing
        self._logins.refuse_if_parked()
        with self._file.locked():
            self._adopt()
            return self._standing or self._log_in()

    def _adopt(self) -> None:
        """Take the stored session, where the file holds another one than when we last looked."""
        stamp = self._file.stamp()
        if stamp is None and self._standing is not None and self._file.lost_its_directory():
            self._file.keep(store(self._standing))
        if stamp is None or stamp == self._stamp:
            return
        self._file.warn_if_shared()
        standing = restore(self._read())
        self._stamp = stamp
        if standing is None:
            return
        if self._credentials.are_foreign_to(standing.owner):
            log.warning("the stored session belongs to another account than sense.email; it is left alone")
            return
        self._take(standing)
        if self._clock.now().monotonic < self._ends_at:
            self._declare("ok", "a stored session is at hand")

    def _read(self) -> Mapping[str, Any]:
        try:
            return self._file.load() or {}
        except StateError as error:
            if self._standing is None:
                self._declare("unavailable", str(error))
                raise
            log.warning("the session goes on without its file: %s", error)
            return {}

    def _is_due(self) -> bool:
        standing = self._standing
        refused = standing is not None and standing.access_token == self._refused
        return refused or self._clock.now().monotonic >= self._renew_at

    def _refresh(self, standing: StoredSession) -> StoredSession:
        with self._file.locked():
            self._adopt()  # another process may have renewed, and spent our refresh token
            standing = self._standing or standing
            if not self._is_due():
                return standing
            if self._rests_for is not None and self._clock.now().monotonic < self._rest_until:
                raise self._rests_for  # a new one with each attempt of ours; many ask
            return self._renew(standing)

    def _renew(self, standing: StoredSession) -> StoredSession:
        form = {"user_id": str(standing.account.user_id), "refresh_token": standing.refresh_token or ""}
        try:
            answer = self._api.post("renew", form | {"is_access_token": "true"})
        except TokenRefused as error:
            log.warning("the session cannot be renewed (%s): logging in anew", error)
            self._standing = None  # its refresh token is spent; the file may still bring another
            return self._log_in()
        except NOT_NOW as error:
            return self._carry_on(standing, error)
        now = self._clock.now().wall
        after = renewed(standing, answer, now, now + self._api.clock_error_s)
        if after is None:
            return self._carry_on(standing, SenseUnavailable("Sense's answer to renew holds no token"))
        return self._keep(after, "renewed")

    def _carry_on(self, standing: StoredSession, error: SenseMqttError) -> StoredSession:
        """Renewal must wait; the old token serves as long as it lives."""
        now = self._clock.now().monotonic
        if now >= self._ends_at or standing.access_token == self._refused:
            self._declare("unavailable", str(error))
            self._rests_for, self._rest_until = error, now + next(self._waits)
            raise error
        log.debug("the session could not be renewed yet: %s", error)
        self._renew_at = now + min(RENEWAL_RETRY_S, (self._ends_at - now) / 2)
        return standing

    def _log_in(self) -> StoredSession:
        try:
            return self._keep(self._logins.by_itself(), "logged in")
        except LoginRefused as error:
            self._declare("auth_required", str(error))
            raise
        except NOT_NOW as error:
            self._declare("unavailable", str(error))
            raise

    def _keep(self, standing: StoredSession, how: str) -> StoredSession:
        """Store, then use: what is used without being stored is lost in a crash, and costs a login."""
        self._file.keep(store(standing))
        self._stamp = self._file.stamp()
        self._take(standing)
        self._declare("ok", how)
        return standing

    def _take(self, standing: StoredSession) -> None:
        now = self._clock.now()
        age = age_s(standing, now.wall)
        self._standing, self._account, self._refused = standing, standing.account, None
        self._renew_at = now.monotonic + renew_after_s(standing.life_s) - age
        self._ends_at = float("inf") if standing.life_s is None else now.monotonic + standing.life_s - age
        self._logins.unpark()
        self._rests_for, self._waits = None, self._make_waits()
        serials = (monitor.serial for monitor in standing.account.monitors)
        for secret in filter(None, (standing.access_token, standing.refresh_token, *serials)):
            self._learn(secret)

    def _declare(self, auth: Auth, reason: str) -> None:
        if auth == self._auth:
            return
        self._auth = auth
        log.log(LOG_LEVELS[auth], "Sense login %s: %s", auth, reason)
        self._post(AuthChanged(auth, reason))
