"""The thread of the simulated cloud: an event loop that serves one aiohttp application on one port."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import web


class ServerThread:
    """Starts and stops the thread, and carries calls of other threads into its event loop."""

    def __init__(
        self,
        make_application: Callable[[], web.Application],
        drive: Callable[[], Awaitable[None]],
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        """`drive` runs in the event loop beside the application, and is cancelled at the end. Port 0 = a free one."""
        self._make_application, self._drive = make_application, drive
        self._host, self._port, self._tls = host, port, tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._main: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return f"{self._host}:{self._port}"

    @property
    def secured(self) -> str:
        """The letter that https has before http."""
        return "" if self._tls is None else "s"

    def start(self) -> None:
        """Return when the port is open; raises OSError where it cannot be."""
        ready, failures = threading.Event(), list[OSError]()
        self._thread = threading.Thread(target=self._run, args=(ready, failures), name="simulated-cloud", daemon=True)
        self._thread.start()
        ready.wait()
        if failures:
            self._thread.join()
            raise failures[0]

    def stop(self) -> None:
        """End the thread; harmless where none runs."""
        if self._loop is not None and self._main is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._main.cancel)
            self._thread.join()
            self._loop = self._thread = self._main = None

    def call(self, make: Callable[[], Coroutine[Any, Any, None]], timeout_s: float) -> None:
        """Do it in the event loop, and wait for its end; raises TimeoutError."""
        if self._loop is None:
            raise RuntimeError("the simulated cloud is not running: start() it first")
        asyncio.run_coroutine_threadsafe(make(), self._loop).result(timeout_s)

    def _run(self, ready: threading.Event, failures: list[OSError]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except OSError as error:
            failures.append(error)
        except asyncio.CancelledError:
            pass  # how stop() ends it
        finally:
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        runner = web.AppRunner(self._make_application(), handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port, ssl_context=self._tls, reuse_address=True).start()
            self._port = runner.addresses[0][1]
            self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
            ready.set()
            await self._drive()
        finally:
            await runner.cleanup()
