"""`sense-mqtt run` with a feed of its own that switches every device of the house once a second; all else is real.

The epoch of the frames is the time of day, so that a process that follows one that was killed goes on where that ended.
"""

import functools
import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sense_mqtt.assembly.assemble import Factories
from sense_mqtt.cli.run import read_config, run
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import FeedOpened, FrameArrived
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.sense.feed.feed_loop import FeedLoop
from tests.support.processes.bridge_process import BridgeProcess

FRAME_S = 0.5
ALWAYS_ON = {"id": "always_on", "name": "Always On", "w": 250.0}
AT_ONCE = {"on_delay_s": 0, "off_delay_s": 0}  # `defaults` of its configuration


class SwitchingBridge(BridgeProcess):
    """Its `devices`, by Sense id, have to be in the list of devices that the cloud gives."""

    def __init__(self, folder: Path, config: dict[str, Any], devices: Sequence[str]) -> None:
        super().__init__(folder, {"defaults": AT_ONCE, **config})
        self.devices = list(devices)

    def _program(self) -> tuple[Any, ...]:
        return run_switching, self.config_file, self.devices


def run_switching(config_file: Path, devices: list[str]) -> int:
    """Run until told to stop."""
    redactor = Redactor()
    feed = functools.partial(SwitchingFeed, devices=devices)
    return run(read_config(config_file, {}, redactor), redactor, factories=Factories(feed=feed))


class SwitchingFeed:
    """Brings frames in which each device is on, then off, then on, with no connection to anybody."""

    transport = "stream"

    def __init__(self, monitor: int, *_: Any, devices: Sequence[str], loop: FeedLoop, **__: Any) -> None:
        self._monitor, self._devices, self._inbox = monitor, devices, loop.inbox
        self._over = threading.Event()

    def start(self) -> None:
        self._inbox.put(FeedOpened(self._monitor, "stream"))
        given = (self._monitor, self._devices, self._inbox, self._over)
        threading.Thread(target=_send, args=given, daemon=True).start()

    def begin_close(self) -> None:
        self._over.set()

    def close(self) -> None:
        self._over.set()

    def pause(self, seconds: float, *, silent: bool) -> None:
        """It never pauses."""

    def resume(self) -> None:
        """It never pauses."""


def _send(monitor: int, devices: Sequence[str], inbox: Inbox, over: threading.Event) -> None:
    while not over.wait(FRAME_S):
        now = time.time()
        tick = int(now / FRAME_S)
        shown = [
            {"id": each, "name": f"Device {n}", "w": 100.0} for n, each in enumerate(devices) if (tick + n) % 4 < 2
        ]
        payload = {"w": 300.0, "devices": [*shown, ALWAYS_ON], "epoch": now}
        inbox.put_frame(FrameArrived(monitor, json.dumps({"type": "realtime_update", "payload": payload})))
