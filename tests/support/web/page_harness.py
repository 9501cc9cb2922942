"""A page with a house behind it that the test moves, served on a free port; and a client without a mind of its own."""

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.sense.auth.tokens import Monitor
from sense_mqtt.web.access import Access
from sense_mqtt.web.state import HourStore, Sources, WebState
from tests.support.core.builders import frame, moment, policy

WAIT_S = 20.0
PASSWORD = "correct horse"
ORIGIN = "http://127.0.0.1"
JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class WatchedMonitor:
    """One monitor, as the bridge has it."""

    home: Home
    feed_state: str = "stream"
    info: Monitor = field(default_factory=lambda: Monitor(7, "America/New_York"))


class RememberedHours:
    """Keeps hours in memory."""

    def __init__(self) -> None:
        self.kept: dict[int, dict[int, Mapping[str, Any]]] = {}

    def keep(self, monitor: int, documents: Mapping[int, Mapping[str, Any]]) -> None:
        self.kept.setdefault(monitor, {}).update(
            {hour: json.loads(json.dumps(document)) for hour, document in documents.items()}
        )

    def of(self, monitor: int) -> Mapping[int, Mapping[str, Any]]:
        return self.kept.get(monitor, {})


class WatchedHouse:
    """A house that observes what the test shows, and the bridge's thread that tells the page."""

    def __init__(self, number: int = 7, hours: HourStore | None = None) -> None:
        self.number = number
        self.monitors = {number: WatchedMonitor(Home(monitor=number))}
        self.is_connected = True
        self.health: dict[str, Any] = {"auth": "ok", "feeds": {str(number): "stream"}, "frames": 3, "events": 1}
        self.state = WebState("1.2.3")
        self.hours = hours or RememberedHours()
        self.state.attach(Sources(self.monitors, self._health, lambda: self.is_connected, self.hours))

    def _health(self, now: Moment) -> Mapping[str, Any]:
        return {"time": write_timestamp(now.wall), **self.health}

    def see(self, seen: Seen, after_s: float) -> None:
        """Let the house observe something at so many seconds after START."""
        monitor = self.monitors[self.number]
        monitor.home, changes = observe(monitor.home, seen, moment(after_s), policy())
        self.state.publish(monitor.home, changes)

    def show(self, *devices: Mapping[str, Any], at: float, **fields: Any) -> None:
        """Show a frame, and let a second go by."""
        self.see(frame(*devices, at=at, **fields), at)
        self.state.tick(moment(at))


@dataclass(frozen=True, slots=True)
class Response:
    """What the server answered."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class ServedPage:
    """The page of a house, on a free port."""

    def __init__(self, house: WatchedHouse, access: Access | None = None, password: str | None = None, **more: Any):
        from sense_mqtt.web.server import ServerSettings, WebServer

        self.server = WebServer(ServerSettings("127.0.0.1", 0, access or Access(), password, **more), house.state)
        house.state.tick(moment(0))

    def __enter__(self) -> Self:
        self.server.start()
        assert self.server.listens.wait(WAIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    @property
    def port(self) -> int:
        return self.server.port

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Response:
        """Return the answer to a request; `_` in a header's name stands for `-`."""
        caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            text = None if body is None else body if isinstance(body, str) else json.dumps(body)
            caller.request(method, path, text, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = caller.getresponse()
            return Response(answer.status, answer.headers, answer.read().decode())
        finally:
            caller.close()

    def post(self, path: str, body: Any, **headers: str) -> Response:
        """Return the answer to what the page itself posts."""
        own = {"Origin": f"{ORIGIN}:{self.port}", **JSON}
        return self.ask(path, "POST", body, **{**own, **headers})

    def connect(self) -> socket.socket:
        """Return a connection that has asked for nothing yet."""
        return socket.create_connection(("127.0.0.1", self.port), WAIT_S)


class EventReader:
    """Reads server-sent events."""

    def __init__(self, page: ServedPage, query: str = "", **headers: str) -> None:
        self._caller = http.client.HTTPConnection("127.0.0.1", page.port, timeout=WAIT_S)
        self._caller.request("GET", f"/api/stream{query}", headers=headers)
        self.response = self._caller.getresponse()

    def next(self, wanted: str) -> Any:
        """Return the document of the next event with this name."""
        name = ""
        while line := self.response.readline().decode():
            key, _, value = line.rstrip("\n").partition(": ")
            if key == "event":
                name = value
            elif key == "data" and name == wanted:
                return json.loads(value)
        raise AssertionError("the stream has ended")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self._caller.close()
