"""The web server: a thread of its own, that listens for as long as the bridge runs."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from sense_mqtt.logs.repeat_log import RepeatLog
from sense_mqtt.web.access import Access
from sense_mqtt.web.connections import Connections
from sense_mqtt.web.pages import Pages, read_static_files
from sense_mqtt.web.request_check import BODY_BYTES_MOST, RequestCheck
from sense_mqtt.web.sense_login import LogIn, SenseLogin
from sense_mqtt.web.state import WebState
from sense_mqtt.web.stream import STALLED_S, Stream

logger = logging.getLogger(__name__)

AGAIN_S = 30.0  # until it is tried again to listen
END_S = 3.0  # for the thread to end
LINGERING_S = 2.0  # for what is left of a body that nobody reads
HEAD_BYTES_MOST = 8_190  # of one header, and of the address


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What is configured for the server."""

    host: str
    port: int  # 0: a free one
    access: Access
    password: str | None = field(default=None, repr=False)
    logins: Mapping[str, LogIn] = field(default_factory=dict)  # at Sense, by the account's name
    stalled_s: float = STALLED_S  # a browser that takes nothing for so long is dropped
    request_s: float = 10.0  # for the head of a request to come


class WebServer:
    """Serves the page until it is closed. What goes wrong here stops nothing else."""

    def __init__(self, settings: ServerSettings, state: WebState) -> None:
        self._settings = settings
        self._state = state
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._is_closed = threading.Event()
        self._log = RepeatLog(logger)
        self.port = 0  # where it listens; 0: nowhere yet
        self.listens = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End; for any thread."""
        self._is_closed.set()
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(END_S)

    def _run(self) -> None:
        where = f"{self._settings.host}:{self._settings.port}"
        while not self._is_closed.is_set():
            try:
                asyncio.run(self._serve())
            except OSError as error:
                text = "cannot listen on %s (%s); change web.host or web.port. It is tried again"
                self._log.log("listen", text, where, error.strerror or error, level=logging.ERROR)
            except Exception:  # whatever it is, the bridge goes on without its page
                logger.exception("the web server failed; it is started again in %.0f s", AGAIN_S)
            self._is_closed.wait(AGAIN_S)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if self._is_closed.is_set():
            return
        is_guarded = self._settings.password is not None and not self._settings.access.ingress
        stream = Stream(self._state, self._settings.stalled_s, is_guarded=is_guarded)
        async with AsyncExitStack() as ending:
            runner, connections = await self._runner(stream)
            ending.push_async_callback(runner.cleanup)
            make_protocol: Any = runner.server
            accept = partial(connections.accept, make_protocol)
            server = await self._loop.create_server(accept, self._settings.host, self._settings.port)
            ending.callback(server.close)
            self.port = server.sockets[0].getsockname()[1]
            logger.info("the page is on http://%s:%d/", self._settings.host, self.port)
            self._state.on_news = stream.wake
            self.listens.set()
            await _until(self._stop.wait(), stream.run(), connections.maintain())

    async def _runner(self, stream: Stream) -> tuple[web.AppRunner, Connections]:
        files = read_static_files()
        settings, sign_in_page = self._settings, files["sign-in.html"].content
        check = RequestCheck(settings.access, settings.password, sign_in_page, settings.port)
        connections = Connections(self._settings.request_s)
        app = web.Application(middlewares=[connections.note, check.check], client_max_size=BODY_BYTES_MOST)
        app.on_response_prepare.append(check.add_headers)
        Pages(self._state, stream, check, files, SenseLogin(self._settings.logins)).add_to(app)
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=http_logger(),
            lingering_time=LINGERING_S,
            handle_signals=False,
            handler_cancellation=True,
            keepalive_timeout=self._settings.request_s,
            max_line_size=HEAD_BYTES_MOST,
            max_field_size=HEAD_BYTES_MOST,
            shutdown_timeout=0.0,
        )
        await runner.setup()
        return runner, connections


def http_logger() -> logging.Logger:
    """Return the log of aiohttp's faults and ours; whoever sends what is no HTTP fills no log."""
    found = logging.getLogger(f"{__name__}.http")
    found.addFilter(_is_fault_of_ours)
    return found


def _is_fault_of_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _until(first: Awaitable[Any], *others: Awaitable[Any]) -> None:
    """Return once the first is done, and end the others; raises what one of them raised."""
    tasks = [asyncio.ensure_future(each) for each in (first, *others)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
