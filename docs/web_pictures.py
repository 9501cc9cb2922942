"""The pictures of the page in docs/images: a day of the simulated house, seen by Chromium.

To make them anew, where Chromium is installed: CHROMIUM=chromium python -m docs.web_pictures
"""

import tempfile
import time
from pathlib import Path

from sense_mqtt import __version__
from sense_mqtt.clock import Moment
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import DevicesListed, Home, Policy
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import read_update
from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse
from sense_mqtt.simulator.payloads.devices import device_list
from sense_mqtt.simulator.payloads.frames import FrameMaker
from tests.support.web.browser import Browser
from tests.support.web.page_harness import ServedPage, WatchedHouse

FOLDER = Path(__file__).parent / "images"
NOW = BEGINS + 17.2 * 3600  # in the afternoon
DAY_S = 86_400.0
FRAME_S = 5.0
POLICY = Policy(lambda _: DeviceRules(off_delay_s=2.0))
PICTURES = {"desktop": (1280, 1020, 1.0), "phone": (390, 844, 1.5)}
DRAWN_S = 4.0  # bubbles have come to rest by then


class SimulatedDay:
    """The simulated house, watched for a day."""

    def __init__(self) -> None:
        house = BuiltInHouse(seed=1)
        self.watched, frames = WatchedHouse(), FrameMaker(house)
        self.watched.state.version = __version__
        self.watched.monitors[7].home = Home(monitor=7, solar=True)
        self.watched.health |= {"rest_last_hour": 14, "logins_last_hour": 0, "uptime_s": 1_209_600, "reconnects": 2}
        begins = NOW - DAY_S
        rows = device_list(house.devices, solar=True, include_merged=False)
        self._see(DevicesListed(read_device_list(rows)), begins)
        for number in range(int(DAY_S / FRAME_S)):
            at = begins + number * FRAME_S
            self._see(read_update(frames.realtime(at), known=self.watched.monitors[7].home.devices), at)

    def _see(self, seen: Seen, at: float) -> None:
        monitor, now = self.watched.monitors[7], Moment(at, at - NOW + 2 * DAY_S)
        monitor.home, changes = observe(monitor.home, seen, now, POLICY)
        self.watched.state.publish(monitor.home, changes)
        self.watched.state.tick(now)


def main() -> None:
    """Write all pictures."""
    day = SimulatedDay()
    FOLDER.mkdir(exist_ok=True)
    wall = Moment(time.time(), 10 * DAY_S)
    day.watched.health |= {"frames": 2_412_118, "events": 6_430}
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as own,
        ServedPage(day.watched) as page,
        Browser(Path(own) / "b") as browser,
    ):
        day.watched.state.tick(wall)
        for name, (width, height, scale) in PICTURES.items():
            for dark in (False, True):
                browser.show_as(width, height, dark=dark, scale=scale)
                browser.open(f"http://127.0.0.1:{page.port}/")
                browser.wait_for("document.querySelectorAll('#bubbles circle').length > 3")
                time.sleep(DRAWN_S)
                browser.screenshot(FOLDER / f"web-{name}-{'dark' if dark else 'light'}.webp")


if __name__ == "__main__":
    main()
