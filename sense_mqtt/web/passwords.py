"""The password of the page: verified slowly and in constant time, few attempts, and the browsers that have given it."""

import hashlib
import hmac
import ipaddress
import secrets
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

SCRYPT = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 * 2**20, "dklen": 32}  # 16 MB and some 50 ms for each attempt
BURST = 5  # attempts of one address at once
EVERY_S = 10.0  # and then one in so long
BURST_OF_ALL = 20
EVERY_S_OF_ALL = 1.0
ADDRESSES_MOST = 1_000  # that are remembered
SESSIONS_MOST = 100  # browsers that are signed in; the oldest is signed out
SESSION_S = 30 * 86_400.0


class PasswordCheck:
    """Verifies the password. For any thread."""

    def __init__(self, password: str) -> None:
        self._salt, self._key = secrets.token_bytes(16), secrets.token_bytes(32)
        self._hash = self._scrypt(password)
        self._known = b""  # keyed digest of the password, once it was given: programs send it each time

    def is_right(self, given: str) -> bool:
        """Say whether this is the password; takes some 50 ms."""
        is_right = hmac.compare_digest(self._scrypt(given), self._hash)
        if is_right:
            self._known = self._digest(given)
        return is_right

    def was_given(self, given: str) -> bool:
        """Say whether this is the password, once it was given before; takes no time, so count the attempt first."""
        return hmac.compare_digest(self._digest(given), self._known)

    def _digest(self, given: str) -> bytes:
        return hmac.digest(self._key, given.encode(errors="replace"), "sha256")

    def _scrypt(self, password: str) -> bytes:
        return hashlib.scrypt(password.encode(errors="replace"), salt=self._salt, **SCRYPT)


class _Allowance(Struct):
    """Attempts that are left; they come back with time."""

    left: float
    at: float  # monotonic s


def _take(allowance: _Allowance, now: float, burst: int, every_s: float) -> float:
    """Take one attempt and return 0; return how long to wait for the next one (s) where none is left."""
    allowance.left = min(burst, allowance.left + (now - allowance.at) / every_s)
    allowance.at = now
    if allowance.left < 1.0:
        return (1.0 - allowance.left) * every_s
    allowance.left -= 1.0
    return 0.0


class AttemptLimit:
    """Slows attempts down: those of one address, and all together. For one thread."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: monotonic s."""
        self._now = now
        self._each: OrderedDict[str, _Allowance] = OrderedDict()
        self._all = _Allowance(BURST_OF_ALL, now())

    def begin(self, address: str) -> float:
        """Count an attempt and return 0, or return how long this address has to wait (s)."""
        return _take(self._of(address), self._now(), BURST, EVERY_S)

    def begin_slow(self) -> float:
        """Count an attempt that is verified slowly and return 0, or return how long everybody has to wait (s)."""
        return _take(self._all, self._now(), BURST_OF_ALL, EVERY_S_OF_ALL)

    def succeeded(self, address: str) -> None:
        """The attempt was right: it does not count."""
        self._of(address).left += 1

    def _of(self, address: str) -> _Allowance:
        network = _network(address)
        own = self._each.setdefault(network, _Allowance(BURST, self._now()))
        self._each.move_to_end(network)
        if len(self._each) > ADDRESSES_MOST:
            self._each.popitem(last=False)
        return own


def _network(address: str) -> str:
    """Return what one attacker surely has alone: an IPv4 address, or the first half of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


class BrowserSessions:
    """Browsers that have given the password, by the token in their cookie. For one thread."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: monotonic s."""
        self._now = now
        self._ends: OrderedDict[bytes, float] = OrderedDict()  # by the digest of the token

    def begin(self) -> str:
        """Return the token of a new session."""
        token = secrets.token_urlsafe(32)
        self._ends[_digest(token)] = self._now() + SESSION_S
        if len(self._ends) > SESSIONS_MOST:
            self._ends.popitem(last=False)
        return token

    def holds(self, token: str) -> bool:
        return self._ends.get(_digest(token), 0.0) > self._now()

    def end(self, token: str) -> None:
        self._ends.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    """Return what is looked up, so that the time that takes says nothing about the tokens that there are."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
