"""An MQTT broker inside this process, for the demo only: amqtt, in a thread of its own. MQTT 3.1.1."""

import asyncio
import logging
import socket
import threading
from types import TracebackType
from typing import Self

from amqtt.broker import Broker

from sense_mqtt.errors import SenseMqttError

START_TIMEOUT_S = 10.0


class CannotListen(SenseMqttError):
    """The port is taken, or not ours."""


class EmbeddedBroker:
    """Listens on one port of this machine's loopback interface between `with` and its end."""

    def __init__(self, port: int | None = None) -> None:
        """Without a port, a free one is taken."""
        self.port = port or _probe(0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedded-broker", daemon=True)
        self._broker: Broker | None = None

    def __enter__(self) -> Self:
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # amqtt logs every client that goes as an error
        _probe(self.port)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(START_TIMEOUT_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._broker is not None:
            asyncio.run_coroutine_threadsafe(self._broker.shutdown(), self._loop).result(START_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT_S)

    async def _start(self) -> None:
        listener = {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}", "max_connections": 100}}
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        self._broker = Broker({"listeners": listener, "plugins": plugins})
        await self._broker.start()


def _probe(port: int) -> int:
    """Return the port, a free one for 0; raises CannotListen where it is taken, which amqtt would only log."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotListen(
                f"cannot listen on 127.0.0.1:{port}: {(error.strerror or str(error)).lower()}"
            ) from error
        return int(probe.getsockname()[1])
