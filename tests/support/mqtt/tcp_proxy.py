"""A TCP proxy before a broker, on threads: it cuts connections, delays answers, and refuses MQTT 5."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, Self


class TcpProxy:
    """Stands before a broker: may hang up on whoever speaks MQTT 5, keep its answers back, and cut."""

    def __init__(self, port: int) -> None:
        self._broker_port = port
        self.hangs_up: Callable[[int], bool] = lambda _version: False
        self.answers = threading.Event()  # cleared: what the broker says is kept back
        self.answers.set()
        self.published = threading.Semaphore(0)  # released with each packet towards the broker after the CONNECT
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        lines, self._open = self._open, []
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self.answers.set()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                hello = client.recv(4096)
                if self.hangs_up(hello[8]):  # the protocol level of a CONNECT, after MQTT's name
                    client.close()
                    continue
                broker = socket.create_connection(("127.0.0.1", self._broker_port))
                broker.sendall(hello)
                self._open += [client, broker]
                self._start(self._carry, client, broker, self.published.release)
                self._start(self._carry, broker, client, self.answers.wait)

    def _carry(self, source: socket.socket, target: socket.socket, before: Callable[[], object]) -> None:
        with contextlib.suppress(OSError):
            while received := source.recv(65536):
                before()
                target.sendall(received)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def _start(self, do: Callable[..., None], *given: Any) -> None:
        threading.Thread(target=do, args=given, daemon=True).start()
