"""The least that a program between feed and broker can do: receive, parse, publish one number. See sustained.py."""

import json
import sys
import threading
from typing import Any

import msgpack
import paho.mqtt.client as paho
import websocket
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

WINDOW = 20  # unacknowledged messages, as the bridge has it


def main(url: str, token: str, port: int) -> None:
    room = threading.Semaphore(WINDOW)
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_publish = lambda *_: room.release()
    client.connect("127.0.0.1", port)
    client.loop_start()
    header = [f"Authorization: bearer {token}", "Accept: application/x-msgpack"]
    feed = websocket.create_connection(url, header=header, skip_utf8_validation=True)
    while True:
        kind, payload = parse(feed.recv())
        if kind == "realtime_update":
            room.acquire()
            client.publish("floor/power", f"{payload['w']:.1f}", 1, retain=True)


def parse(raw: str | bytes) -> tuple[str, Any]:
    """Return type and payload of a message, by the library that reads its format."""
    if isinstance(raw, str):
        message = json.loads(raw)
        return message["type"], message["payload"]
    unpacker = msgpack.Unpacker()
    unpacker.feed(raw)
    kind, _, payload = unpacker
    return kind, payload


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
