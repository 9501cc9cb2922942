"""How fast a simulated house's clock runs: in step with the wall, as fast as the client reads, or by hand."""

import asyncio
import math
from typing import Literal

from sense_mqtt.simulator.server.monitor import SimulatedMonitor

ClockMode = Literal["real", "free", "manual"]

MAX_UNREAD_FRAMES = 64  # in free pace a client has at most so many frames unread
MAX_LAG_S = 5.0  # further behind the wall than this, the missed frames are let go
IDLE_POLL_S = 0.005  # how often a house that stands still looks whether it may go on


class ClockDriver:
    """Moves one monitor on. Lives in the cloud's event loop."""

    def __init__(
        self, monitor: SimulatedMonitor, clock_mode: ClockMode, *, step_s: float, speed: float, until: float
    ) -> None:
        """`step_s` house seconds a frame; `speed` house seconds per wall second (real pace); stops at `until`."""
        self._monitor = monitor
        self._pace = clock_mode
        self.step_s = step_s
        self._speed = speed
        self.until = until

    async def run(self) -> None:
        """Move on for ever, by the pace; returns at once in manual pace."""
        if self._pace == "real":
            await self._run_with_the_wall()
        elif self._pace == "free":
            await self._run_freely()

    async def advance(self, seconds: float) -> None:
        """Make the frames of the next `seconds`, and return when every socket has read them."""
        for number in range(1, 1 + math.floor(seconds / self.step_s + 1e-9)):
            await self._monitor.tick(self.step_s)
            if number % MAX_UNREAD_FRAMES == 0:
                await self._monitor.wait_until_read()
        await self._monitor.wait_until_read()

    async def _run_with_the_wall(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self.step_s / self._speed, loop.time() - MAX_LAG_S)
            await asyncio.sleep(due - loop.time())
            if self._may_go_on():
                await self._monitor.tick(self.step_s, may_drop=True)

    async def _run_freely(self) -> None:
        """Frames back to back while somebody listens; the clock stands while nobody does."""
        frames = 0
        while True:
            if not self._may_go_on() or not self._monitor.has_listeners():
                if frames:
                    frames = 0
                    await self._monitor.wait_until_read()
                await asyncio.sleep(IDLE_POLL_S)
                continue
            await self._monitor.tick(self.step_s)
            frames += 1
            if frames == MAX_UNREAD_FRAMES:
                frames = 0
                await self._monitor.wait_until_read()

    def _may_go_on(self) -> bool:
        return self._monitor.now + self.step_s <= min(self.until, self._monitor.house.ends)
