"""A client's side of the websocket protocol, without a socket."""

import base64
from random import Random

import pytest

from sense_mqtt.sense.feed.websocket_protocol import (
    BINARY,
    CLOSE,
    MAX_HANDSHAKE_BYTES,
    PING,
    PONG,
    TEXT,
    FrameReader,
    HeadReader,
    MessageTooLarge,
    ProtocolError,
    WebsocketFrame,
    control_frame,
    tunnel_request,
    upgrade_request,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the answer to this key that RFC 6455 1.3 gives
OPENED = (
    f"HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
)


def frame(opcode, data, *, fin=True):
    size = len(data)
    length = (
        bytes((size,)) if size < 126 else b"\x7e" + size.to_bytes(2) if size < 65_536 else b"\x7f" + size.to_bytes(8)
    )
    return bytes((0x80 * fin | opcode,)) + length + data


def take_all(reader):
    frames = []
    while (taken := reader.take(100))[0] is not None:
        frames.append(taken[0])
    return frames


# --- the handshake


def test_the_request_asks_for_a_websocket_and_names_a_port_that_is_not_the_usual_one():
    lines = upgrade_request("ws://sense.example:81/monitors/7/realtimefeed?x=1", ["A: b"], KEY).split(b"\r\n")
    assert lines[:2] == [b"GET /monitors/7/realtimefeed?x=1 HTTP/1.1", b"Host: sense.example:81"]
    assert f"Sec-WebSocket-Key: {KEY}".encode() in lines
    assert lines[-3:] == [b"A: b", b"", b""]
    assert b"Host: [::1]\r\n" in upgrade_request("wss://[::1]/x", [], KEY)


def test_the_request_to_a_proxy_holds_its_login():
    request = tunnel_request("wss://sense.example/x", ("jane", "p@ss"))
    assert request.startswith(b"CONNECT sense.example:443 HTTP/1.1\r\n")
    assert base64.b64encode(b"jane:p@ss") in request
    assert b"Authorization" not in tunnel_request("ws://sense.example/x", None)


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_head_is_read_however_it_is_cut_and_what_follows_is_kept(step):
    reader, raw, found = HeadReader(), OPENED.encode() + b"\x81\x01x", None
    for begin in range(0, len(raw), step):
        found = found or reader.feed(raw[begin : begin + step])
    head, rest = found
    assert head.status == 101
    assert head.accepts(KEY)
    assert not head.accepts("another")
    assert rest == (b"\x81\x01x" if step == 10_000 else rest)


@pytest.mark.parametrize(
    "missing", ["Upgrade: WebSocket\r\n", "Connection: keep-alive, Upgrade\r\n", "Sec-WebSocket-Accept"]
)
def test_an_answer_without_one_of_the_three_headers_opens_nothing(missing):
    head, _ = HeadReader().feed(OPENED.replace(missing, "X: y\r\n" if missing.endswith("\n") else "X").encode())
    assert not head.accepts(KEY)


@pytest.mark.parametrize(
    "raw", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 1\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"]
)
def test_what_is_no_http_is_refused(raw):
    with pytest.raises(ProtocolError, match="not HTTP"):
        HeadReader().feed(raw)


def test_a_head_without_end_is_refused():
    reader = HeadReader()
    assert reader.feed(b"x" * MAX_HANDSHAKE_BYTES) is None
    with pytest.raises(MessageTooLarge, match="16384 bytes"):
        reader.feed(b"x")
    with pytest.raises(MessageTooLarge):
        HeadReader().feed(b"HTTP/1.1 101 x\r\nA: " + b"x" * MAX_HANDSHAKE_BYTES + b"\r\n\r\n")


# --- frames


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_message_of_any_length_is_read(size):
    reader = FrameReader(1_000_000)
    reader.feed(frame(BINARY, b"x" * size) + b"\x81")
    assert take_all(reader) == [WebsocketFrame(BINARY, b"x" * size)]


def test_fragments_become_one_message_and_control_frames_may_come_between_them():
    reader = FrameReader(100)
    parts = (
        frame(TEXT, b"a", fin=False),
        frame(PING, b"p"),
        frame(0, b"b", fin=False),
        frame(0, b"c"),
        frame(TEXT, b"d"),
    )
    reader.feed(b"".join(parts))
    assert take_all(reader) == [WebsocketFrame(PING, b"p"), WebsocketFrame(TEXT, b"abc"), WebsocketFrame(TEXT, b"d")]


def test_the_code_of_a_close_frame_is_read():
    assert WebsocketFrame(CLOSE, (1008).to_bytes(2) + b"why").close_code == 1008
    assert WebsocketFrame(CLOSE, b"").close_code is None


REFUSED = [
    ("a reserved bit", b"\xc2\x01x"),
    ("an unknown opcode", b"\x83\x01x"),
    ("a masked frame", b"\x82\x81mmmmx"),
    ("a control frame in parts", b"\x09\x00"),
    ("a long control frame", b"\x89\x7e"),
    ("a close frame with half a code", b"\x88\x01x"),
    ("a fragment of nothing", b"\x80\x01x"),
    ("a message within another", b"\x01\x01x\x81\x01y"),
]


@pytest.mark.parametrize("raw", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_is_refused(raw):
    reader = FrameReader(100)
    reader.feed(raw)
    with pytest.raises(ProtocolError):
        take_all(reader)


@pytest.mark.parametrize("raw", [b"\x82\x7f" + (1 << 63).to_bytes(8), frame(TEXT, b"x" * 60, fin=False) + b"\x80\x29"])
def test_a_message_that_is_too_large_is_refused_before_it_has_come(raw):
    reader = FrameReader(100)
    reader.feed(raw)
    with pytest.raises(MessageTooLarge, match="more than 100 bytes at once"):
        take_all(reader)


def test_a_flood_of_fragments_is_looked_at_in_portions_and_takes_no_memory():
    reader = FrameReader(100)
    reader.feed(frame(TEXT, b"", fin=False) + frame(0, b"", fin=False) * 250)
    assert [reader.take(100) for _ in range(3)] == [(None, True), (None, True), (None, False)]


def test_any_stream_is_read_the_same_however_it_is_cut():
    random = Random(7)
    for _ in range(200):
        sent = [
            WebsocketFrame(random.choice((TEXT, BINARY, PONG)), random.randbytes(random.choice((0, 3, 125))))
            for _ in range(9)
        ]
        raw, reader, came = b"".join(frame(each.opcode, each.data) for each in sent), FrameReader(1_000), []
        while raw:
            cut = random.randint(1, 40)
            reader.feed(raw[:cut])
            raw = raw[cut:]
            came += take_all(reader)
        assert came == sent


def test_no_bytes_raise_anything_but_a_protocol_error():
    random = Random(8)
    for _ in range(3_000):
        reader = FrameReader(10_000)
        begin = bytes((random.choice((0x01, 0x81, 0x82, 0x02, 0x80, 0x00, 0x88, 0x89)), random.randint(0, 127)))
        reader.feed(begin + random.randbytes(300))
        try:
            take_all(reader)
        except ProtocolError:
            continue


def test_a_control_frame_is_masked_as_the_standard_wants_it():
    made = control_frame(PONG, b"Hello", b"\x37\xfa\x21\x3d")
    assert made == bytes.fromhex("8a8537fa213d7f9f4d5158")  # RFC 6455 5.7
