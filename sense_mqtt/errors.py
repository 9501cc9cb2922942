"""The errors of sense-mqtt: one class per reaction."""

from typing import ClassVar


class SenseMqttError(Exception):
    """What went wrong, which thing, and what to do about it, as one sentence."""

    exit_code: ClassVar[int] = 1  # of a command that ends with it (contract, section 5)


class ConfigError(SenseMqttError):
    """The configuration is wrong; `str()` lists every fault, one a line."""

    exit_code = 2


class StateError(SenseMqttError):
    """The state directory, or a file in it, cannot be used at present; says which, why, and what to do."""


class LoginRefused(SenseMqttError):
    """Sense refused e-mail and password, the code, or the account is locked: a person must act."""

    exit_code = 3


class MfaNeeded(LoginRefused):
    """The account has two-factor login and no code is at hand: `sense-mqtt login` must be run."""


class TokenRefused(SenseMqttError):
    """Sense refused the access token: renew it, then try once more."""


class RateLimited(SenseMqttError):
    """Sense (HTTP 429) or our own budget asks us to wait `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BudgetSpent(RateLimited):
    """Commands have cost Sense as much as they may in an hour; Sense itself asked for nothing."""


class SenseUnavailable(SenseMqttError):
    """Sense did not answer, or not in its own words (5xx, HTML, timeout, TLS): wait, never log in again."""


class NotFound(SenseMqttError):
    """Sense knows no such path, monitor or device (HTTP 404)."""


class RequestRefused(SenseMqttError):
    """Sense understood and said no (HTTP 400, 403, other 4xx): asking again will not help."""


class BadFrame(SenseMqttError):
    """A message of the feed that cannot be understood; `kind` names the fault for counting."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class CommandRefused(SenseMqttError):
    """A request on MQTT is refused with a `code` of the contract (`bad_request`, `not_found`, ...)."""

    exit_code = 2  # of `lookup`: what was asked for is wrong

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JournalError(SenseMqttError):
    """The journal cannot be read or written; says which file and what to do."""
