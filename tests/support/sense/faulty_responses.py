"""What a rude server may do with a websocket that is being opened."""

import base64
import hashlib

from tests.support.sense.sense_fixtures import PATIENCE_S, read_head

HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


def accept(head):
    """The answer to a websocket's key (RFC 6455 1.3)."""
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")  # noqa: S324 - as the standard has it
    return base64.b64encode(digest.digest())


def send_handshake_byte_by_byte(connection, over):
    read_head(connection)
    connection.sendall(b"HTTP/1.1 101 Switch")
    while not over.wait(0.02):
        connection.sendall(b"i")


def send_frame_byte_by_byte(connection, over):
    connection.sendall(HANDSHAKE + accept(read_head(connection)) + b"\r\n\r\n\x82\x7e\xff\xff")
    while not over.wait(0.02):
        connection.sendall(b"x")


def send_pings_only(connection, over):
    connection.sendall(HANDSHAKE + accept(read_head(connection)) + b"\r\n\r\n")
    while not over.wait(0.02):
        connection.sendall(b"\x89\x00")


def send_nothing(connection, over):
    over.wait(PATIENCE_S)
    connection.close()


def huge_frame(connection, over):
    size = (1 << 40).to_bytes(8)
    connection.sendall(HANDSHAKE + accept(read_head(connection)) + b"\r\n\r\n\x82\x7f" + size)
    while not over.is_set():
        connection.sendall(b"x" * 100_000)


def endless(begin, again):
    def behave(connection, over):
        read_head(connection)
        connection.sendall(begin)
        while not over.is_set():
            connection.sendall(again * 1000)

    return behave


def say(answer):
    def behave(connection, _over):
        head = read_head(connection)
        connection.sendall(answer.replace(b"KEY", accept(head)))

    return behave


OPENED = HANDSHAKE + b"KEY\r\n\r\n"
FAULTY_RESPONSES = [
    ("sends the handshake byte by byte", send_handshake_byte_by_byte, "did not open within"),
    ("sends a message byte by byte", send_frame_byte_by_byte, "silent for"),
    ("sends pings only", send_pings_only, "silent for"),
    ("sends nothing", send_nothing, "(did not open within|cannot be reached)"),
    ("sends a frame without end", huge_frame, "more than 1000000 bytes"),
    ("sends a status line without end", endless(b"HTTP/1.1 101 ", b"x"), "more than 16384 bytes"),
    ("sends headers without end", endless(b"HTTP/1.1 101 x\r\n", b"X-More: 1\r\n"), "more than 16384 bytes"),
    ("sends a header without end", endless(b"HTTP/1.1 101 x\r\nX-More: ", b"x"), "more than 16384 bytes"),
    ("hangs up", say(b""), "cannot be reached"),
    ("is no web server", say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "cannot be reached"),
    ("gives a status that is none", say(b"HTTP/1.1\r\n\r\n"), "cannot be reached"),
    ("gives a header that is none", say(b"HTTP/1.1 101 x\r\nUpgrade\r\n\r\n"), "cannot be reached"),
    ("gives headers that are no text", say(b"HTTP/1.1 101 x\r\n\xff\xfe: \xff\r\n\r\n"), "cannot be reached"),
    ("gives the wrong key", say(HANDSHAKE + b"AAAA\r\n\r\n"), "cannot be reached"),
    ("sends us elsewhere", say(b"HTTP/1.1 302 x\r\nLocation: ws://127.0.0.1:9/\r\n\r\n"), "(302|cannot be reached)"),
    ("closes politely at once", say(OPENED + b"\x88\x02\x03\xf0"), "closed by Sense with code 1008"),
    ("closes without a reason", say(OPENED + b"\x88\x00"), "closed by Sense"),
    ("closes with half a code", say(OPENED + b"\x88\x01\x03"), "close frame"),
    ("sends reserved bits", say(OPENED + b"\xf2\x01x"), "close frame"),
    ("sends an unknown kind", say(OPENED + b"\x83\x01x"), "close frame"),
    ("continues what it never began", say(OPENED + b"\x80\x01x"), "close frame"),
    ("sends a ping that is too long", say(OPENED + b"\x89\x7e\x00\x80" + b"x" * 128), "close frame"),
]
