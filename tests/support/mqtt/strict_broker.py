"""A broker that refuses some subscriptions, as SUBACK says it or by hanging up.

With `forgets=False` a client id that it hung up on is not answered again: RabbitMQ 3.10 needs some time to forget one.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Self


class StrictBroker:
    """Takes one client after the other; `subscribed` holds the filters that each connection was granted."""

    def __init__(
        self,
        refused: tuple[str, ...] = (),
        hangs_up_on: tuple[str, ...] = (),
        *,
        forgets: bool = True,
        retained: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`retained`: payloads by topic, for who subscribes to just that topic."""
        self._retained = retained
        self._refused, self._hangs_up_on, self._forgets = refused, hangs_up_on, forgets
        self._client_id = b""
        self._hung_up: set[bytes] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.subscribed: list[list[str]] = []
        self._five = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.subscribed.append([])
            with line, line.makefile("rb") as packets, contextlib.suppress(OSError):
                while self._answer(line, packets):
                    pass

    def _answer(self, line: socket.socket, packets) -> bool:
        head = packets.read(1)
        if not head:
            return False
        body = packets.read(_read_length(packets))
        match head[0] >> 4:
            case 1:  # CONNECT
                self._five = body[6] == 5
                at = 11 + body[10] if self._five else 10  # behind the properties
                self._client_id = body[at + 2 : at + 2 + struct.unpack(">H", body[at : at + 2])[0]]
                if self._client_id in self._hung_up and not self._forgets:
                    return True
                line.sendall(b"\x20\x03\x00\x00\x00" if self._five else b"\x20\x02\x00\x00")
            case 3:  # PUBLISH, QoS 1
                start = 2 + struct.unpack(">H", body[:2])[0]
                line.sendall(b"\x40\x02" + body[start : start + 2])
            case 8:  # SUBSCRIBE
                filters = self._read_filters(body)
                if set(filters) & set(self._hangs_up_on):
                    self._hung_up.add(self._client_id)
                    return False
                self.subscribed[-1] += [each for each in filters if each not in self._refused]
                codes = bytes((0x87 if self._five else 0x80) if each in self._refused else 1 for each in filters)
                answer = body[:2] + (b"\x00" if self._five else b"") + codes
                line.sendall(bytes([0x90, len(answer)]) + answer)
                for topic in self._retained.keys() & self.subscribed[-1]:
                    line.sendall(self._write_retained(topic))
            case 12:  # PINGREQ
                line.sendall(b"\xd0\x00")
        return True

    def _write_retained(self, topic: str) -> bytes:
        name, properties = topic.encode(), b"\x00" if self._five else b""
        body = struct.pack(">H", len(name)) + name + properties + self._retained[topic].encode()
        return bytes([0x31, len(body)]) + body

    def _read_filters(self, body: bytes) -> list[str]:
        at, filters = 3 if self._five else 2, []  # without properties
        while at < len(body):
            length = struct.unpack(">H", body[at : at + 2])[0]
            filters.append(body[at + 2 : at + 2 + length].decode())
            at += 3 + length
        return filters


def _read_length(packets) -> int:
    length = shift = 0
    while True:
        byte = packets.read(1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return length
