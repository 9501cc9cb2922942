"""When an access token must be renewed, and how long to wait after a renewal that failed. Times: monotonic, s. Pure."""

from collections.abc import Callable

from sense_mqtt.errors import SenseMqttError
from sense_mqtt.sense.auth.tokens import renew_after_s

RENEWAL_RETRY_S = 30.0  # after a failed renewal, while the old token is still good


class RenewalSchedule:
    """Starts anew with each session."""

    def __init__(self, wait_s: Callable[[int], float]) -> None:
        """`wait_s`: failed renewals in a row, from 0 -> seconds until the next one."""
        self._wait_s = wait_s
        self._renew_at = self._ends_at = 0.0
        self._failures = 0
        self._paused_until = 0.0
        self._error: SenseMqttError | None = None  # of the last renewal that failed

    def start(self, life_s: float | None, age_s: float, now: float) -> None:
        """Schedule the renewal of a token of this age; `life_s`: None if the token does not tell."""
        self._renew_at = now + renew_after_s(life_s) - age_s
        self._ends_at = float("inf") if life_s is None else now + life_s - age_s
        self._error, self._failures = None, 0

    def is_due(self, now: float) -> bool:
        return now >= self._renew_at

    def is_expired(self, now: float) -> bool:
        """True if the token is no longer good."""
        return now >= self._ends_at

    def raise_if_paused(self, now: float) -> None:
        """Raise the error of the last renewal, without a call, while its wait lasts."""
        if self._error is not None and now < self._paused_until:
            raise self._error

    def retry_soon(self, now: float) -> None:
        """Note a failed renewal while the token is still good."""
        self._renew_at = now + min(RENEWAL_RETRY_S, (self._ends_at - now) / 2)

    def pause(self, error: SenseMqttError, now: float) -> None:
        """Note a failed renewal while no token is good."""
        self._error, self._paused_until = error, now + self._wait_s(self._failures)
        self._failures += 1
