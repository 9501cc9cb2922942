"""What is new, pushed to each browser as server-sent events; a browser that stops reading is dropped."""

import asyncio
import time
from contextlib import suppress
from typing import Any

from aiohttp import web
from msgspec import Struct, field

from sense_mqtt.core.payloads import write_json
from sense_mqtt.web.connections import bound_buffers, drop
from sense_mqtt.web.history import NumberedEvent
from sense_mqtt.web.state import BridgeNow, HomeNow, WebState
from sense_mqtt.web.view import describe_bridge, describe_events, describe_home

BROWSERS_MOST = 100
STALLED_S = 10.0  # a browser that takes nothing for so long is dropped
SILENCE_S = 15.0  # something is sent at least so often, so that a connection that is gone is noticed


class Sent(Struct):
    """What one browser knows."""

    home: HomeNow | None = None
    bridge: BridgeNow | None = None
    monitors: int = -1
    event: int = -1  # number of the newest
    monitor: int | None = None
    at: float = field(default_factory=time.monotonic)


class Stream:
    """For the web server's thread only, but for `wake`."""

    def __init__(self, state: WebState, stalled_s: float = STALLED_S, *, is_guarded: bool = False) -> None:
        """`is_guarded`: browsers have given a password."""
        self._state = state
        self._is_guarded = is_guarded
        self._stalled_s = stalled_s
        self._news = asyncio.Condition()
        self._loop = asyncio.get_running_loop()
        self._is_new = asyncio.Event()
        self._written: dict[tuple[str, int], tuple[Any, str]] = {}  # what was written last, for all browsers
        self.browsers = 0

    def wake(self) -> None:
        """Say that there is something new; for the bridge's thread, and never waits."""
        with suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(self._is_new.set)

    async def run(self) -> None:
        """Wake all browsers whenever there is something new, for ever."""
        while True:
            await self._is_new.wait()
            self._is_new.clear()
            async with self._news:
                self._news.notify_all()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Push to one browser until it goes; `?monitor=` chooses the home."""
        if self.browsers >= BROWSERS_MOST:
            return web.Response(status=503, text="too many browsers are open\n")
        self.browsers += 1
        try:
            return await self._serve(request)
        finally:
            self.browsers -= 1

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        bound_buffers(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        sent, wanted = Sent(), request.query.get("monitor", "")
        while True:
            text = self._new_for(sent, wanted)
            if not text and time.monotonic() - sent.at > SILENCE_S:
                text = ":\n\n"
            if text and not await self._write(request, response, text):
                return response
            sent.at = time.monotonic() if text else sent.at
            async with self._news:
                await self._news.wait()

    async def _write(self, request: web.Request, response: web.StreamResponse, text: str) -> bool:
        """Write, and say whether the browser takes it; one that does not is dropped."""
        try:
            async with asyncio.timeout(self._stalled_s):
                await response.write(text.encode())
        except (TimeoutError, ConnectionError):
            drop(request)
            return False
        return True

    # --- what is new

    def _new_for(self, sent: Sent, wanted: str) -> str:
        state, text = self._state, ""
        bridge, homes = state.bridge, state.homes
        if bridge is not sent.bridge or len(homes) != sent.monitors:
            sent.bridge, sent.monitors = bridge, len(homes)
            text += self._once("bridge", len(homes), bridge, self._describe_bridge)
        monitor = choose_monitor(state, wanted)
        if monitor is None:
            return text
        if monitor != sent.monitor:
            sent.monitor, sent.home, sent.event = monitor, None, -1
        now = homes[monitor]
        if sent.home is None or (now.home, now.feed) != (sent.home.home, sent.home.feed):
            sent.home = now
            text += self._once("now", monitor, now.home, lambda: describe_home(monitor, now))
        return text + self._new_events(sent, monitor)

    def _describe_bridge(self) -> dict[str, Any]:
        return {**describe_bridge(self._state, time.time()), "password": self._is_guarded}

    def _new_events(self, sent: Sent, monitor: int) -> str:
        history = self._state.histories.get(monitor)
        events: tuple[NumberedEvent, ...] = history.events if history else ()
        if sent.event >= 0 and (not events or max(event.number for event in events) <= sent.event):
            return ""
        new = [event for event in events if event.number > sent.event]
        name = "events" if sent.event < 0 else "event"
        sent.event = max([0, sent.event, *(event.number for event in new)])
        return _message(name, describe_events(new))

    def _once(self, name: str, number: int, source: Any, describe: Any) -> str:
        """Return the message that tells of `source`, written once for all browsers."""
        source_before, text = self._written.get((name, number), (None, ""))
        if source_before is not source:
            text = _message(name, describe())
            self._written[(name, number)] = (source, text)
        return text


def choose_monitor(state: WebState, wanted: str) -> int | None:
    """Return the monitor that was asked for, else the first; None where none is known."""
    homes = state.homes
    if wanted.isdecimal() and int(wanted[:20]) in homes:
        return int(wanted[:20])
    return min(homes, default=None)


def _message(name: str, document: Any) -> str:
    return f"event: {name}\ndata: {write_json(document)}\n\n"
