"""How one paho client reads from its socket and waits for it: bounded, and with few calls to the system."""

import contextlib
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.mqtt.packets import PUBLISH_QOS_1, publish_packet, taken_pubacks
from sense_mqtt.mqtt.publish_properties import keep_used_properties
from sense_mqtt.mqtt.subscriptions import MAX_PACKET_BYTES

SENT = paho.MQTTMessage()  # stands for a message that paho has not packed itself; of QoS 0, so that it counts none
READ_BYTES = 16_384  # at once; paho alone asks for one or two bytes at a time

QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux


class Client(paho.Client):
    """Hangs up on a packet that is too large, before any of its body is read: MQTT 3.1.1 has no way to forbid it.

    And takes out properties that nobody reads, before paho does so slowly. Waits with poll: select, which paho uses,
    takes no descriptor above 1,023, and hundreds of feeds come before that of the broker when it comes back.
    """

    too_large_bytes = 0  # of the packet that we hung up on
    on_taken: Callable[[Sequence[int]], None]  # called with packet identifiers: the broker has these messages
    _received = memoryview(b"")  # read from the socket, but not by paho yet
    _unsent = b""  # packets
    _waker: "_Waker | None" = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._awaited: set[int] = set()  # packet identifiers of which no PUBACK has come

    def add(self, message: Message, *, retain: bool) -> int:
        """Add a message of QoS 1 to what the next `send_added` sends; return its packet identifier."""
        mid = self._mid_generate()
        while mid in self._awaited:  # there are 65,535: the same one comes again
            mid = self._mid_generate()
        is_5 = self._protocol == MQTTProtocolVersion.MQTTv5
        self._unsent += publish_packet(message, mid, retain=retain, version_5=is_5)
        self._awaited.add(mid)
        return mid

    def send_added(self) -> None:
        """Hand all that was added to paho's thread, as one."""
        packets, self._unsent = self._unsent, b""
        if packets:
            self._packet_queue(PUBLISH_QOS_1, packets, 0, 1)

    def loop_start(self) -> MQTTErrorCode:
        """Start paho's thread."""
        code = super().loop_start()
        paired: Any = self._sockpairW
        self._sockpairW = self._waker = _Waker(paired)  # type: ignore[assignment]
        return code

    def _create_socket_connection(self) -> socket.socket:
        line = super()._create_socket_connection()
        # Else a message waits until the broker's system has acknowledged the one before: 40 ms on Linux.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    def _sock_recv(self, bufsize: int) -> bytes:
        # Paho asks for all that is left of a packet, and its websocket keeps what has come of a frame.
        size = max(bufsize, len(getattr(self._sock, "_readbuffer", b"")) - MAX_PACKET_BYTES)
        if size > MAX_PACKET_BYTES:
            self.too_large_bytes = size
            raise ConnectionAbortedError(f"a packet of {size} bytes")
        if self._transport == "websockets":  # it has a buffer of its own
            return super()._sock_recv(bufsize)
        if not self._received:
            self._received = memoryview(super()._sock_recv(READ_BYTES))
            self._acknowledge_at_once()
        if self._in_packet["command"] == 0 and self._take_pubacks() and not self._received:
            raise BlockingIOError("there were only PUBACKs")
        data, self._received = self._received[:bufsize], self._received[bufsize:]
        return bytes(data)

    def _acknowledge_at_once(self) -> None:
        """Let our system acknowledge now what came: Nagle's algorithm at the broker holds back PUBACKs until then.

        Mosquitto uses it by default. The system forgets the wish with the next packet.
        """
        line: Any = self._sock
        if line is not None and QUICKACK is not None:
            with contextlib.suppress(OSError):
                line.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)

    def _take_pubacks(self) -> bool:
        """Take the PUBACKs with which the next packets begin, all at once; False where there are none."""
        is_5 = self._protocol == MQTTProtocolVersion.MQTTv5
        mids, size = taken_pubacks(self._received, version_5=is_5)
        if not mids:
            return False
        self._received = self._received[size:]
        self._last_bytes_received = time.monotonic()  # as paho notes it
        self.on_taken([mid for mid in mids if mid in self._awaited])
        self._awaited.difference_update(mids)
        return True

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        # A PUBACK that says more than that a message was taken. Paho must know the message only now: after a CONNACK it
        # sends all that it knows, and what we add meanwhile is on its way already.
        packet: Any = self._in_packet["packet"]
        mid = int.from_bytes(packet[:2])
        if mid in self._awaited:
            self._awaited.discard(mid)
            self._out_messages[mid] = SENT
        return super()._handle_pubackcomp(cmd)

    def _handle_publish(self) -> Any:
        if self._protocol == MQTTProtocolVersion.MQTTv5:
            packet: Any = self._in_packet
            packet["packet"] = keep_used_properties(packet["packet"], qos=packet["command"] >> 1 & 3)
            packet["remaining_length"] = len(packet["packet"])
        return super()._handle_publish()

    def _loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        """Do what paho's own does: read, write, or see to the keepalive; return what went wrong."""
        try:
            can_read, can_write = self._wait(timeout)
        except (OSError, ValueError):  # the socket was closed meanwhile
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if can_read and ((code := self.loop_read()) or self._sock is None):
            return code
        if can_write and ((code := self.loop_write()) or self._sock is None):
            return code
        return self.loop_misc()

    def _wait(self, timeout_s: float) -> tuple[bool, bool]:
        """Return whether to read and whether to write, after at most `timeout_s`. Raises OSError or ValueError."""
        line: Any = self._sock
        woken: Any = self._sockpairR
        if line is None or woken is None:
            raise ValueError("the socket is closed")
        poll = select.poll()
        poll.register(line, select.POLLIN | (select.POLLOUT if self.want_write() else 0))
        poll.register(woken, select.POLLIN)
        is_pending = bool(self._received) or getattr(line, "pending", int)() > 0
        ready = dict(poll.poll(0 if is_pending else timeout_s * 1e3))
        has_packets = woken.fileno() in ready
        if has_packets:
            woken.recv(READ_BYTES)
            if self._waker is not None:
                self._waker.is_due = False  # before anything is written: what comes from now on wakes again
        events = ready.get(line.fileno(), 0)
        return is_pending or bool(events & ~select.POLLOUT), has_packets or bool(events & select.POLLOUT)


class _Waker:
    """The end of paho's pair of sockets that wakes its thread: one byte for all packets until it is awake."""

    def __init__(self, paired: socket.socket) -> None:
        self._paired = paired
        self.is_due = False  # a byte was sent, and not read yet

    def send(self, data: bytes) -> int:
        if not self.is_due:
            self.is_due = True
            with contextlib.suppress(BlockingIOError):
                self._paired.send(data)
        return len(data)

    def close(self) -> None:
        self._paired.close()
