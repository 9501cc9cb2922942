"""The parts of a bridge without threads: each does what the test says, when the test says so."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.errors import JournalError, NotFound
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Acknowledged, PostDone
from sense_mqtt.sense.auth.tokens import Account, Monitor
from sense_mqtt.sense.rest_queries.worker import RestWorker
from sense_mqtt.store.journal import Journal
from sense_mqtt.webhooks.sender import PostResult
from tests.support.core.builders import moment
from tests.support.publisher.fake_broker import FakeBroker

DELIVERED = PostResult("delivered", "answers HTTP 200")
RESPONSES = {
    "app/monitors/7/devices": [{"id": "1a2b3c4d", "name": "Dryer"}],
    "app/monitors/7/status": {},
    "app/monitors/7/history/usage": {"consumption": {"usage_total_kwh": 1.5}, "start": "2026-11-21T00:00:00Z"},
    "users/{user}/timeline": {"items": []},
}


class TurnedClock:
    """A clock that only the test turns."""

    def __init__(self) -> None:
        self.after_s = 0.0

    def now(self) -> Moment:
        return moment(self.after_s)


class NonBlockingInbox(Inbox):
    """Never waits for anybody."""

    def get(self, timeout_s: float) -> Any:
        return super().get(min(timeout_s, 0.0))


class FakeWorker(RestWorker):
    """Works when the test says so."""

    def start(self) -> None:
        """No thread."""

    def work(self) -> None:
        while len(self):
            self._work()


class AcknowledgingBroker(FakeBroker):
    """Acknowledges at once, unless told to be slow."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self._inbox = inbox
        self.slow = False

    def publish(self, message: Message) -> int | None:
        mid = super().publish(message)
        if mid is not None and not self.slow:
            self._inbox.put(Acknowledged(self.connection_id, mid))
        return mid


class FailingJournal(Journal):
    """Fails to record as often as the test says, then works."""

    failures = 0

    def record(self, *given: Any, **more: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise JournalError("the disk is gone")
        super().record(*given, **more)


class FakeSession:
    """Answers from a table, by path or by path and scale; an exception in it is raised."""

    def __init__(self, monitors: tuple[Monitor, ...]) -> None:
        self.told: Any = Account(42, monitors)
        self.responses: dict[str, Any] = dict(RESPONSES)
        self.asked: list[str] = []
        self.asked_scales = Counter[str]()  # of history/usage
        self.logins_last_hour = 0
        self.calls_last_hour = 0  # of the API: one double for both

    def account(self) -> Account:
        return _give(self.told)

    def add_monitors(self, found: Any) -> Account:
        self.told = Account(self.told.user_id, (*self.told.monitors, *found))
        return self.told

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, group: str | None = None) -> Any:  # noqa: ARG002
        self.asked.append(path)
        scale = (params or {}).get("scale")
        if path.endswith("history/usage"):
            self.asked_scales[scale] += 1
        return _give(self.responses.get(f"{path} {scale}", self.responses.get(path, NotFound(f"no {path}"))))


class FakeFeed:
    """Remembers what it was told to do."""

    transport = "stream"

    def __init__(self, monitor: int, *_: Any, **__: Any) -> None:
        self.monitor = monitor
        self.told: list[Any] = []

    def start(self) -> None:
        self.told.append("start")

    def begin_close(self) -> None:
        """`close` says it."""

    def close(self) -> None:
        self.told.append("close")

    def pause(self, seconds: float, *, silent: bool) -> None:
        self.told.append(("pause", seconds, silent))

    def resume(self) -> None:
        self.told.append("resume")


class FakeSender:
    """The thread of a webhook: takes each post at once, unless told to wait or to end it in another way."""

    def __init__(self, number: int, inbox: Inbox) -> None:
        self._number, self._inbox = number, inbox
        self.bodies: list[Any] = []  # that were posted
        self.ends: Callable[[Any], PostResult | None] = lambda _body: DELIVERED  # None: not yet
        self._result: PostResult | None = None

    def submit(self, body: str) -> None:
        self.bodies.append(json.loads(body))
        self.end(self.ends(self.bodies[-1]))

    def end(self, result: PostResult | None) -> None:
        self._result = result
        if result is not None:
            self._inbox.put(PostDone(self._number))

    def take(self, wait_s: float = 0.0) -> PostResult | None:  # noqa: ARG002
        result, self._result = self._result, None
        return result


def _give(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer
