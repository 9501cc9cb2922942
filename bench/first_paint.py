"""How soon the page of the house is seen: first paint, and its first figures, in Chromium; and its size.

    .venv/bin/python bench/first_paint.py [LOADS]

A bridge process of its own serves a simulated house of thirty devices; each load is a first visit (nothing is cached).
Needs Chromium and Mosquitto. The times are Chromium's own (PerformancePaintTiming), from the start of the navigation.
"""

import contextlib
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("CHROMIUM", "chromium")

from busy_house import BusyHouse

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto, free_port
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.web.browser import Browser, find_chromium

LOADS = 20
START_S, LOOK_EVERY_S = 60.0, 0.2  # until frames have come
AIM_MS, AIM_KB = 300.0, 100.0
NOTE_FIGURES = """new MutationObserver((_, watcher) => {
  if (!/[0-9]/.test(document.querySelector('#house b')?.textContent)) return;
  watcher.disconnect();
  requestAnimationFrame(() => { window.figuresAt = performance.now(); });
}).observe(document, {subtree: true, childList: true, characterData: true});"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
ANSWERED = "performance.getEntriesByType('navigation')[0].responseStart"
LOADED = """[performance.getEntriesByType('navigation')[0], ...performance.getEntriesByType('resource')]
  .filter((entry) => !entry.name.includes('/api/')).map((entry) => [entry.name, entry.transferSize])"""


def main() -> int:
    loads = int(sys.argv[1]) if len(sys.argv) > 1 else LOADS
    if find_mosquitto() is None or find_chromium() is None:
        print(f"{HOW_TO_GET_IT}; Chromium: apt install chromium, or set CHROMIUM")
        return 1
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        SimulatedCloud(BusyHouse(), speed=1) as cloud,
        BridgeProcess(Path(folder), configure(cloud, broker.port, web={"enabled": True, "port": port})),
        Browser(Path(folder) / "chromium") as browser,
    ):
        wait_until_healthy(port)
        browser.command("Network.setCacheDisabled", cacheDisabled=True)
        browser.command("Page.addScriptToEvaluateOnNewDocument", source=NOTE_FIGURES)
        seen = [load(browser, f"http://127.0.0.1:{port}/") for _ in range(loads + 1)][1:]  # the first warms Chromium up
        files = browser.value(LOADED)
    return tell(seen, files)


def wait_until_healthy(port: int) -> None:
    """Wait until the bridge has frames; its health is 503 before."""
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
            return
        time.sleep(LOOK_EVERY_S)
    raise SystemExit(f"the bridge had no frames within {START_S:.0f} s")


def load(browser: Browser, url: str) -> tuple[float, float, float]:
    """Return when the answer began, when the first paint was and when the house's watts were drawn (ms)."""
    browser.open(url)
    browser.wait_for(f"window.figuresAt && {PAINTED}")
    answered, painted, figures = browser.value(f"[{ANSWERED}, {PAINTED}, window.figuresAt]")
    return answered, painted, figures


def tell(seen: list[tuple[float, float, float]], files: list[list[Any]]) -> int:
    print(f"{len(seen)} loads, ms from the start of the navigation      median    worst")
    for name, times in zip(("answer begins", "first paint", "first figures"), zip(*seen, strict=True), strict=True):
        print(f"  {name:44s} {statistics.median(times):12.0f} {max(times):8.0f}")
    size_kb = sum(size for _, size in files) / 1000
    print(f"  {len(files)} files, {size_kb:.1f} kB with their heads (aim: below {AIM_KB:.0f}); on one host")
    worst_ms = max(painted for _, painted, _ in seen)
    print(f"first paint, worst: {worst_ms:.0f} ms (aim: below {AIM_MS:.0f})")
    return 0 if worst_ms < AIM_MS and size_kb < AIM_KB else 1


if __name__ == "__main__":
    sys.exit(main())
