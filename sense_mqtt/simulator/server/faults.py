"""How the simulated cloud misbehaves: every switch, changeable at any time from any thread."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Literal

from sense_mqtt.simulator.payloads.encoding import MALFORMED_KINDS

HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"


@dataclass(slots=True)
class HttpFault:
    """An answer given instead of the true one."""

    path: str  # part of the path; "" fits all, "realtimefeed" the handshake
    status: int  # 0: the connection is taken and never answered; -1: cut without an answer
    retry_after: str | None = None
    body: str | None = None  # None: an HTML page
    times: int | None = None  # None: until cleared

    @property
    def page(self) -> str:
        return HTML.format(f"{self.status} Error") if self.body is None else self.body


class Faults:
    """All switches. The attributes may be set at any time; None, False and 0 mean no fault."""

    def __init__(self) -> None:
        self.silent = False  # sockets stay open, no frames come; in free pace the house stands still meanwhile
        self.no_pongs = False  # pings are not answered either: a half-open peer
        self.offline = False  # the monitor is offline: hello says so, no frames, status says so
        self.close_after_s: float | None = None  # sockets live this long, in wall seconds, whatever `socket_life_s`
        self.close_after_frames: int | None = None  # a socket is closed after so many frames
        self.cached_first_frame_s = 0.0  # the first frame of a socket is that old
        self.token_error_as_frame = False  # a bad token at the feed: an `error` frame and a close, instead of HTTP 401
        self.greets_first = False  # with it: the feed says hello before it refuses a token
        self.feed_takes_no_token = False  # the feed refuses tokens that REST takes
        self.over_limit: Literal["refuse", "close_oldest"] = "refuse"  # what a socket too many leads to
        self.socket_limit = 2
        self.old_firmware = False  # before 1.64: no realtime_update by REST
        self.trends_gone = False  # app/history/trends answers 404
        self.usage_gone = False  # app/monitors/{id}/history/usage answers 404
        self.hides_merged_devices = False  # merged devices are missing in the list, also where they are asked for
        self.no_msgpack = False  # JSON whatever the client asks for
        self.binary_json = False  # 2017: JSON in binary messages
        self.camel_case = False  # 2018: MonitorInfo, DataChange, and a hello without payload
        self.clock_offset_s = 0.0  # the cloud's wall clock is wrong by so much
        self.rest_most_per_minute: int | None = None  # beyond it: 429 with Retry-After
        self._lock = threading.Lock()
        self._http: list[HttpFault] = []
        self._malformed: deque[str] = deque()
        self._malformed_every: tuple[int, str] | None = None

    def refuse(
        self,
        status: int = 503,
        *,
        path: str = "",
        times: int | None = None,
        retry_after: str | int | None = None,
        body: str | None = None,
    ) -> None:
        """Answer requests whose path holds `path` with this status; the newest fault that fits wins."""
        told = None if retry_after is None else str(retry_after)
        with self._lock:
            self._http.append(HttpFault(path, status, told, body, times))

    def hang(self, *, path: str = "", times: int | None = None) -> None:
        """Take the connection and never answer."""
        self.refuse(0, path=path, times=times)

    def cut(self, *, path: str = "", times: int | None = None) -> None:
        """Cut the connection without an answer."""
        self.refuse(-1, path=path, times=times)

    def send_malformed(self, *kinds: str, every: int | None = None) -> None:
        """Make the next frames malformed, one kind of MALFORMED_KINDS each; with `every`, each n-th frame."""
        unknown = set(kinds) - MALFORMED_KINDS
        if unknown:
            raise ValueError(f"no garbage of kind {sorted(unknown)}; there are {sorted(MALFORMED_KINDS)}")
        with self._lock:
            if every is None:
                self._malformed.extend(kinds)
            else:
                self._malformed_every = (every, kinds[0])

    def clear(self) -> None:
        """Behave again."""
        fresh = Faults()
        for name, value in vars(fresh).items():
            if name != "_lock":
                setattr(self, name, value)

    def http_fault(self, path: str) -> HttpFault | None:
        """Return what goes wrong with a request for `path`, using it up by one."""
        with self._lock:
            for fault in reversed(self._http):
                if fault.path in path:
                    if fault.times is not None:
                        fault.times -= 1
                    if fault.times == 0:
                        self._http.remove(fault)
                    return fault
        return None

    def next_malformed(self, number: int) -> str | None:
        """Return how the frame with this running number is garbled, if at all."""
        with self._lock:
            if self._malformed:
                return self._malformed.popleft()
            if self._malformed_every is not None and number % self._malformed_every[0] == 0:
                return self._malformed_every[1]
        return None
