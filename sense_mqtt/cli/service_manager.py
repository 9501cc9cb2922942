"""systemd's protocol of readiness and watchdog: datagrams to the socket that it names (sd_notify(3)).

The bridge's loop calls `maintain` each second, so a loop that stands still is noticed by the watchdog.
"""

import logging
import socket
from collections.abc import Callable, Mapping

from sense_mqtt.clock import Moment

logger = logging.getLogger(__name__)

MAX_STATUS = 1_000  # letters; systemd takes datagrams of at most 4096 bytes, and the watchdog's line is in the same one

Send = Callable[[str, bytes], None]  # address, datagram; raises OSError


class ServiceManager:
    """Tells systemd that the bridge is ready, how it is, and that its loop runs. For one thread."""

    def __init__(self, environ: Mapping[str, str], describe: Callable[[], str], send: Send | None = None) -> None:
        """`describe` returns the line that `systemctl status` shows. Without NOTIFY_SOCKET nothing is sent."""
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._is_watched = "WATCHDOG_USEC" in environ
        self._describe = describe
        self._send = send or _send
        self._status: str | None = None
        self._is_ready = False
        self._has_failed = False

    def maintain(self, _now: Moment) -> None:
        """Say what is new, and that the loop runs. Call at least each second; the unit's WatchdogSec is 60."""
        if not self._address:
            return
        lines = []
        if not self._is_ready:
            self._is_ready = True
            lines.append("READY=1")
        if (status := self._describe()[:MAX_STATUS]) != self._status:
            self._status = status
            lines.append(f"STATUS={status}")
        if self._is_watched:
            lines.append("WATCHDOG=1")
        self._notify(lines)

    def begin_reload(self, now: Moment) -> None:
        """Say that the configuration is read again; the next call of `maintain` says that this is over."""
        self._is_ready = False
        self._notify(["RELOADING=1", f"MONOTONIC_USEC={int(now.monotonic * 1_000_000)}"])

    def end(self) -> None:
        """Say that the bridge ends in good order."""
        self._notify(["STOPPING=1"])

    def _notify(self, lines: list[str]) -> None:
        if not (lines and self._address):
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            self._send(address, "\n".join(lines).encode())
        except OSError as error:
            if not self._has_failed:
                logger.warning("systemd's NOTIFY_SOCKET cannot be reached (%s); it does not learn that we run", error)
            self._has_failed = True


def _send(address: str, datagram: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.settimeout(0)  # a manager that does not read must not hold up the loop
        sender.sendto(datagram, address)
