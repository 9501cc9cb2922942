"""What the simulated cloud saw: requests, logins, sockets, frames; for assertions. Thread-safe."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One HTTP request, websocket handshakes included; nothing secret."""

    method: str
    path: str
    query: tuple[str, ...]  # names only
    status: int
    authorised: bool
    wall: float  # when it came, on the cloud's own wall clock
    monotonic: float
    headers: tuple[tuple[str, str], ...]  # Authorization shortened to its scheme, cookies left out


@dataclass(frozen=True, slots=True)
class TrafficCounts:
    """Numbers since the start."""

    requests: int = 0
    login_attempts: int = 0  # authenticate and authenticate/mfa, whatever the answer
    logins: int = 0  # that were granted
    renews: int = 0
    renews_refused: int = 0
    sockets_opened: int = 0
    sockets_open: int = 0
    sockets_most: int = 0  # at once
    sockets_refused: int = 0  # by the limit
    frames_sent: int = 0
    frames_dropped: int = 0  # in real pace, for a socket that does not read
    malformed_sent: int = 0


class RequestLog:
    """Counts and requests, with a way to wait for what is expected."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._counts = TrafficCounts()
        self._requests: list[LoggedRequest] = []

    @property
    def counts(self) -> TrafficCounts:
        with self._changed:
            return self._counts

    def requests(self, path: str = "") -> list[LoggedRequest]:
        """Return the requests whose path holds `path`, oldest first."""
        with self._changed:
            return [request for request in self._requests if path in request.path]

    def wait(self, claim: Callable[[TrafficCounts], bool], timeout_s: float = 30.0) -> bool:
        """Wait until the claim holds of the counts; False when it did not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: claim(self._counts), timeout_s)

    def add(self, **numbers: int) -> None:
        """Add to the counts by name."""
        with self._changed:
            counts = replace(self._counts, **{name: getattr(self._counts, name) + by for name, by in numbers.items()})
            self._counts = replace(counts, sockets_most=max(counts.sockets_most, counts.sockets_open))
            self._changed.notify_all()

    def add_request(self, request: LoggedRequest) -> None:
        with self._changed:
            self._requests.append(request)
            self._counts = replace(self._counts, requests=self._counts.requests + 1)
            self._changed.notify_all()
