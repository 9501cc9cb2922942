"""An MQTT broker inside this process, for the demo only: amqtt, in a thread of its own. MQTT 3.1.1."""

import asyncio
import concurrent.futures
import logging
import socket
import threading
from types import TracebackType
from typing import Self

from amqtt.broker import Broker
from amqtt.errors import BrokerError

from sense_mqtt.errors import SenseMqttError

START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 1.0  # for each of the two steps of the end


class CannotListen(SenseMqttError):
    """The port is taken or not ours, or the broker does not start."""


class EmbeddedBroker:
    """Listens on one port of this machine's loopback interface between `with` and its end."""

    def __init__(self, port: int | None = None, *, start_timeout_s: float = START_TIMEOUT_S) -> None:
        """Without a port, a free one is taken."""
        self.port = port or _probe(0)
        self._start_timeout_s = start_timeout_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedded-broker", daemon=True)
        self._broker: Broker | None = None

    def __enter__(self) -> Self:
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # amqtt logs every client that goes as an error
        _probe(self.port)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(self._start_timeout_s)
        except (BrokerError, TimeoutError) as error:
            self._stop()
            why = str(error) or f"it did not start within {self._start_timeout_s:g} s"
            raise CannotListen(f"the embedded broker on 127.0.0.1:{self.port}: {why}; start it again") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        """Return within seconds, whatever the clients do; raises nothing. Harmless where nothing runs any more."""
        if not self._thread.is_alive():
            return
        ending = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        concurrent.futures.wait([ending], 3 * END_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(END_TIMEOUT_S)

    async def _end(self) -> None:
        """Shut down; cancel what is left. amqtt's own shutdown may wait for ever while a client is subscribed."""
        if self._broker is not None:
            await asyncio.wait([asyncio.create_task(self._broker.shutdown())], timeout=END_TIMEOUT_S)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=END_TIMEOUT_S)

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
