"""A whole bridge without threads: the test feeds its inbox, turns its clock and says what Sense and the broker do."""

import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sense_mqtt.assembly.assemble import Factories, assemble
from sense_mqtt.assembly.sense_client import SenseClient
from sense_mqtt.assembly.timing import Timing
from sense_mqtt.bridge.monitor import BridgedMonitor
from sense_mqtt.clock import Moment
from sense_mqtt.config import Config
from sense_mqtt.core.backoff import Backoff
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import BrokerConnected, BrokerDropped, FeedOpened, FrameArrived, MessageArrived, UpdatePolled
from sense_mqtt.sense.auth.tokens import Monitor
from sense_mqtt.sense.workers import Workers
from sense_mqtt.store.journal import Journal
from tests.support.bridge.bridge_doubles import (
    AcknowledgingBroker,
    FailingJournal,
    FakeFeed,
    FakeSender,
    FakeSession,
    FakeWorker,
    NonBlockingInbox,
    TurnedClock,
)
from tests.support.core.builders import PSEUDO, START

RETRY_S = 10.0  # what failed is tried again so much later
SETTLE_S = 5.0
HOUSE = Monitor(7, solar=False)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as a warning or worse."""
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


def make_random() -> Random:
    """Return dice that always fall alike: what a test sees depends on no chance."""
    return Random(1)


class BridgeHarness:
    """A bridge, and all that is around it."""

    def __init__(self, folder: Path, *monitors: Monitor, **config: Any) -> None:
        self._folder, self._given = folder, config
        names = [account["name"] for account in config.get("accounts", [{"name": ""}])]
        self.sessions = {name: FakeSession(monitors or (HOUSE,)) for name in names}  # by the name of the account
        self.session = self.sessions[names[0]]
        self.clock = TurnedClock()
        self.recorders: list[Any] = []  # of the next process; the first one has none
        self.restart()

    def restart(self) -> None:
        """Begin a new process over the same state directory."""
        sense = {"email": "me@example.com", "password": "secret", **self._given.get("sense", {})}
        known = {} if "accounts" in self._given else {"sense": sense}
        config = Config.model_validate({"state_dir": self._folder, **self._given, **known})
        self.inbox, self.feeds, self.workers = NonBlockingInbox(), {}, []
        self.senders: dict[int, FakeSender] = {}
        self.broker = AcknowledgingBroker(self.inbox)
        self.bridge = assemble(
            config,
            self.inbox,
            [self._client(name, own) for name, own in config.of_each_account().items()],
            self.clock,
            Timing(scheduler=Backoff(RETRY_S, RETRY_S, RETRY_S)),
            Factories(
                self._make_journal,
                lambda *_: self.broker,
                self._make_worker,
                self._make_feed,
                self._make_sender,
                lambda: Random(1),
                self.recorders,
            ),
        )
        self.clock.after_s -= SETTLE_S  # so that a test's own times may count from 0
        self.bridge.begin()

    def _client(self, name: str, config: Config) -> SenseClient:
        session: Any = self.sessions[name]
        return SenseClient(config, name, session, session, threading.Event())

    def _make_journal(self, path: Path) -> Journal:
        self.journal = FailingJournal(path)
        return self.journal

    def _make_worker(self, session: Any, inbox: Inbox, workers: Workers) -> FakeWorker:
        self.worker = FakeWorker(session, inbox, workers)  # of the last account
        self.workers.append(self.worker)
        return self.worker

    def _make_feed(self, monitor: int, *_: Any, **__: Any) -> FakeFeed:
        self.feeds[monitor] = FakeFeed(monitor)
        return self.feeds[monitor]

    def _make_sender(self, number: int, *_: Any) -> FakeSender:
        self.senders[number] = FakeSender(number, self.inbox)
        return self.senders[number]

    # --- what happens

    def take(self, *items: Any) -> None:
        """Let the bridge take these items, and all that follows from them at once."""
        for item in items:
            self.bridge.step(item)
            self.take_all_waiting()

    def take_all_waiting(self) -> None:
        while len(self.inbox):
            self.bridge.step(self.inbox.get(0))

    def work(self) -> None:
        """Let Sense answer all that it was asked."""
        for worker in self.workers:
            worker.work()
        self.take_all_waiting()

    def pass_time(self, seconds: float, step_s: float = 1.0) -> None:
        """Let time go by, with a tick each second; Sense answers what it is asked."""
        ends = self.clock.after_s + seconds
        while self.clock.after_s < ends:
            self.clock.after_s = min(self.clock.after_s + step_s, ends)
            self.take(None)
            self.work()

    def connect(self, receive_maximum: int = 20, **more: Any) -> None:
        """Let the broker take us; the attempt begins with the first tick, or when the one before was given up."""
        self.take(None)
        while not self.bridge._publisher.is_current(self.broker.connection_id):
            self.clock.after_s += 1.0
            self.take(None)
        self.take(BrokerConnected(self.broker.connection_id, receive_maximum=receive_maximum, **more))

    def drop(self) -> None:
        self.take(BrokerDropped(self.broker.connection_id, "gone"))

    def begin(self) -> None:
        """Let broker and Sense answer what is asked at the start; then the feed opens."""
        self.connect()
        self.work()
        self.pass_time(SETTLE_S)
        self.open_feed()

    def open_feed(self, monitor: int = 7, transport: Any = "stream") -> None:
        self.take(FeedOpened(monitor, transport))

    def show(self, *devices: Mapping[str, Any], at: float, monitor: int = 7) -> None:
        """Show a frame, measured at so many seconds after START, which is now."""
        self.clock.after_s = max(self.clock.after_s, at)
        self.take(raw_frame(*devices, at=at, monitor=monitor))

    def poll(self, payload: Any, *, monitor: int = 7, asked: Moment | None = None) -> None:
        """Show the answer to a poll that was asked for then (now, if nothing else is said) and came just now."""
        answered = self.clock.now()
        self.take(UpdatePolled(monitor, payload, asked or answered, answered))

    def ask(self, command: str, payload: Any = b"", **more: Any) -> Any:
        """Send a request; return what was answered before Sense was asked, None where nothing was."""
        before = len(self.broker.published)
        self.send(f"sense/bridge/request/{command}", payload, **more)
        newest = [m for m in self.broker.published[before:] if m.topic.endswith(f"bridge/response/{command}")][-1:]
        return json.loads(newest[0].payload) if newest else None

    def send(self, topic: str, payload: Any = b"", **more: Any) -> None:
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.take(MessageArrived(self.broker.connection_id, topic, raw, **more))

    # --- what came of it

    def monitor(self, number: int) -> BridgedMonitor:
        return self.bridge.accounts.served.monitors[number]

    @property
    def publisher(self) -> Any:
        return self.bridge._publisher

    def published(self, ends: str) -> list[Message]:
        return [message for message in self.broker.published if message.topic.endswith(ends)]

    def newest(self, topic: str) -> str | None:
        """Return the newest payload on a topic."""
        return next((m.payload for m in reversed(self.broker.published) if m.topic == topic), None)

    def documents(self, ends: str) -> list[Any]:
        return [json.loads(message.payload) for message in self.published(ends)]

    def answers(self, command: str) -> list[Any]:
        return self.documents(f"bridge/response/{command}")

    def events(self) -> list[tuple[str, float, str]]:
        """Return (event type, seconds after START, source) of each device event."""
        told = [document for document in self.documents("/event") if "device" in document and "source" in document]
        return [(e["event_type"], round(read_timestamp(e["time"]) - START, 3), e["source"]) for e in told]

    def bridge_events(self) -> list[str]:
        return [document["event_type"] for document in self.documents("bridge/event")]

    @property
    def health(self) -> Any:
        return self.ask("health")["data"]


def raw_frame(*devices: Mapping[str, Any], at: float, monitor: int = 7) -> FrameArrived:
    """Return a frame as the feed brings it."""
    payload = {"w": 300.0, "devices": [*devices, *PSEUDO], "epoch": START + at}
    return FrameArrived(monitor, json.dumps({"type": "realtime_update", "payload": payload}))


def asked(bridge: BridgeHarness, command: str, payload: Any = b"", **more: Any) -> list[Any]:
    """Return all answers to one request, once Sense has answered too."""
    bridge.ask(command, payload, **more)
    bridge.work()
    return bridge.answers(command)
