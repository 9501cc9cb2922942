"""Frames by REST (`realtime_update`); needs firmware 1.64 or newer."""

from sense_mqtt.clock import Clock
from sense_mqtt.core.wire.monitor_status import read_firmware
from sense_mqtt.errors import NotFound, RequestRefused
from sense_mqtt.items import UpdatePolled
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.fallback import Mode, is_pollable


class PollingUnsupported(NotFound):
    """This monitor cannot be polled."""


class Poller:
    """Asks for one frame; before the first one checks the firmware, unless polling is all that is wanted.

    What an older firmware answers is not known (docs/sense-protocol.md), so there Sense decides.
    """

    def __init__(self, monitor: int, session: Session, clock: Clock, mode: Mode) -> None:
        self._monitor = monitor
        self._session = session
        self._clock = clock
        self._is_only_way = mode == "poll"
        self._is_known = False

    def poll(self) -> UpdatePolled:
        """Return one frame. May block. Raises `PollingUnsupported`, or what `Session.get` raises."""
        asked = self._clock.now()
        if not self._is_known and not self._is_only_way:
            self._check()
            self._is_known = True
        try:
            payload = self._session.get(f"app/{self._monitor}/realtime_update")
            return UpdatePolled(self._monitor, payload, asked, self._clock.now())
        except NotFound as error:
            self._is_known = False
            self._check()
            raise PollingUnsupported(f"monitor {self._monitor} cannot be polled: {error}") from error

    def _check(self) -> None:
        version = self._version()
        if version and not is_pollable(version):
            raise PollingUnsupported(
                f"monitor {self._monitor} cannot be polled: its firmware {version} is older than 1.64"
            )

    def _version(self) -> str | None:
        try:
            status = self._session.get(f"app/monitors/{self._monitor}/status")
        except (NotFound, RequestRefused):
            return None  # then the poll itself shows it
        return read_firmware(status)
