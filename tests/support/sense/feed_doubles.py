"""The surroundings of a feed's state machine without threads, sockets and time: each does what the test says."""

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

from sense_mqtt.errors import SenseMqttError
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Item
from sense_mqtt.sense.feed.attempts import Attempts
from sense_mqtt.sense.feed.feed_machine import FeedMachine
from sense_mqtt.sense.feed.feed_parts import FeedParts
from sense_mqtt.sense.feed.pause import PauseControl
from sense_mqtt.sense.feed.polling import Poller
from sense_mqtt.sense.feed.reporter import FeedReporter
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.state_file import StateFile
from tests.support.sense.sense_fixtures import FakeClock

MONITOR = 7


class TableSession:
    """Answers polls with what is in `polls`, one after the other; an exception is raised, and the last one stays."""

    def __init__(self) -> None:
        self.polls: list[Any] = [{"w": 1}]
        self.status: dict[str, Any] = {}
        self.refused: list[str] = []

    def get(self, path: str) -> Any:
        if path.endswith("/status"):
            return self.status
        answer = self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def token_refused(self, token: str) -> None:
        self.refused.append(token)


class ScriptedConnection:
    """A websocket that is open at once and brings these messages, in portions; an exception among them is raised."""

    token = "a token"

    def __init__(self, *messages: Any, refusal: SenseMqttError | None = None) -> None:
        self.messages = list(messages)
        self.is_open = self.is_behind = False
        self.closed = 0
        self.due, self.fileno = 1e12, 99
        self.times_extended = 0
        self._refusal = refusal

    def advance(self) -> int | None:
        if self._refusal is not None:
            raise self._refusal
        self.is_open = True
        return None

    def read(self) -> None:
        """All is there."""

    def next_message(self) -> Any:
        message = self.messages.pop(0) if self.messages else None
        if isinstance(message, Exception):
            raise message
        return message

    def extend_silence(self) -> None:
        self.times_extended += 1

    def on_time(self) -> None:
        """It is never silent."""

    def close(self) -> None:
        self.closed += 1


class ScriptedAttempts(Attempts):
    """Opens these websockets, one after the other; where there is an exception in place of one, it is raised."""

    connections: list[Any]

    def begin_locked(self) -> Any:
        connection = self.connections.pop(0)
        if isinstance(connection, Exception):
            raise connection
        return connection


class ManualLoop:
    """Does at once what may block, unless `slow`; its clock moves from one due time to the next."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox, self.clock = inbox, FakeClock()
        self.due: float | None = None
        self.watched: int | None = None
        self.slow = False
        self.works: list[Callable[[], None]] = []
        self.waits_for_room = False
        self.is_removed = False

    def run(self, _key: Hashable, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        def task() -> None:
            try:
                result = work()
            except SenseMqttError as error:
                result = error
            done(result)

        self.works.append(task)

    def work(self) -> None:
        """Do what may block, and what follows from it."""
        while self.works:
            self.works.pop(0)()

    def watch(self, _feed: object, descriptor: int, _events: int) -> None:
        self.watched = descriptor

    def unwatch(self, _feed: object) -> None:
        self.watched = None

    def wake_at(self, _feed: object, moment: float) -> None:
        self.due = moment

    def again(self, _feed: object) -> None:
        """The test calls it."""

    def wait_for_room(self, _feed: object, _monitor: int) -> None:
        self.waits_for_room = True

    def remove(self, _feed: object) -> None:
        self.is_removed = True

    def wait_s(self) -> float:
        """Return the seconds until the feed is to be called."""
        assert self.due is not None
        return self.due - self.clock.now().monotonic


class MachineHarness:
    """One feed's state machine, and what it has told."""

    def __init__(self, folder: Path, *connections: Any, **settings: Any) -> None:
        self.inbox, self.session = Inbox(), TableSession()
        self.loop: Any = ManualLoop(self.inbox)
        session: Any = self.session
        clock, chosen = self.loop.clock, FeedSettings(folder, **settings)
        reporter = FeedReporter(MONITOR, self.inbox)
        attempts = ScriptedAttempts(MONITOR, session, chosen, clock=clock, uniform=lambda _least, most: most)
        attempts.connections = list(connections)
        parts = FeedParts(MONITOR, chosen, attempts, reporter, self.inbox, clock)
        self.pauses = PauseControl(reporter, StateFile(folder / "pause-7.json"), clock)
        self.machine = FeedMachine(parts, session, self.pauses, Poller(MONITOR, session, clock, chosen.mode), self.loop)

    def begin(self) -> None:
        self.machine.begin()
        self.loop.work()

    def next(self) -> float:
        """Let the time come for which the feed waits, and what follows; return the seconds that it waited."""
        waited_s = self.loop.wait_s()
        self.loop.clock.advance(waited_s)
        self.machine.on_due()
        self.loop.work()
        return waited_s

    def told(self) -> Sequence[Item | None]:
        """Return what came into the inbox since the last call."""
        return [self.inbox.get(0) for _ in range(len(self.inbox))]
