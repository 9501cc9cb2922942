"""The library `sense_energy` with paho: a script of twenty lines. See peers.py."""

import sys
import threading
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sense_energy import Senseable, senseable

WINDOW = 20


def main(url: str, token: str, port: int) -> None:
    room = threading.Semaphore(WINDOW)
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_publish = lambda *_: room.release()
    client.connect("127.0.0.1", port)
    client.loop_start()
    parts = urlsplit(url)
    senseable.WS_URL = f"{parts.scheme}://{parts.netloc}/monitors/%s/realtimefeed?access_token=%s"
    sense = Senseable(wss_timeout=600)
    sense.sense_monitor_id, sense.sense_access_token = parts.path.split("/")[2], token
    for _ in sense.get_realtime_stream():
        room.acquire()
        client.publish("peer/power", f"{sense.active_power:.1f}", 1, retain=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
