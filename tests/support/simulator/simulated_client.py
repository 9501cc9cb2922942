"""A plain client of the simulated cloud, for its own tests: requests and websocket-client, no code of ours."""

import json
import threading
from typing import Any

import msgpack
import requests
import websocket

DEVICE_ID = "0123456789abcdef0123456789abcdef"
TIMEOUT_S = 20


class Client:
    """Logs in and asks; keeps the last token."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.token = ""
        self.http = requests.Session()
        self.http.trust_env = False  # else REQUESTS_CA_BUNDLE would outdo `verify`
        self.http.headers["x-sense-device-id"] = DEVICE_ID

    def log_in(self) -> dict[str, Any]:
        answer = self.post("authenticate", email=self.cloud.email, password=self.cloud.password)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return answer.json()

    def post(self, path: str, **form: str) -> requests.Response:
        return self.http.post(self.cloud.api_url + path, data=form, timeout=TIMEOUT_S)

    def get(self, path: str, **query: Any) -> requests.Response:
        headers = {"Authorization": f"bearer {self.token}"} if self.token else {}
        return self.http.get(self.cloud.api_url + path, params=query, headers=headers, timeout=TIMEOUT_S)

    def listen(self, *, binary: bool = False, monitor: int = 900_101) -> websocket.WebSocket:
        headers = [f"Authorization: bearer {self.token}"] + ["Accept: application/x-msgpack"] * binary
        url = f"{self.cloud.feed_url}/monitors/{monitor}/realtimefeed"
        return websocket.create_connection(url, header=headers, timeout=TIMEOUT_S, skip_utf8_validation=True)


def read(socket: websocket.WebSocket) -> tuple[str, Any]:
    """Return type and payload of the next message, whichever way it came."""
    raw = socket.recv()
    if isinstance(raw, bytes) and not raw.startswith(b"{"):
        unpacker = msgpack.Unpacker()
        unpacker.feed(raw)
        kind, _epoch, payload = list(unpacker)
        return kind, payload
    message = json.loads(raw)
    return message["type"], message.get("payload")


def read_frames(socket: websocket.WebSocket, count: int) -> list[dict[str, Any]]:
    """Return the next frames, whatever else comes between them."""
    frames: list[dict[str, Any]] = []
    while len(frames) < count:
        kind, payload = read(socket)
        if kind == "realtime_update":
            frames.append(payload)
    return frames


class ReceivedMessages:
    """Reads a socket to its end in a thread, as a client does while the cloud goes on."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.messages: list[tuple[str, Any]] = []
        self._socket = socket
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while True:
                self.messages.append(read(self._socket))
        except (websocket.WebSocketException, OSError, ValueError):
            pass  # closed, cut, or an empty message: the end

    def frames(self) -> list[dict[str, Any]]:
        return [payload for kind, payload in self.all() if kind == "realtime_update"]

    def all(self) -> list[tuple[str, Any]]:
        """Return every message, once the socket has ended."""
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.messages
