"""The realtime feed of one monitor: streams or polls, and puts what comes into the inbox."""

from random import Random

from sense_mqtt.items import Transport
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.attempts import Attempts
from sense_mqtt.sense.feed.feed_loop import FeedLoop
from sense_mqtt.sense.feed.feed_machine import FeedMachine
from sense_mqtt.sense.feed.feed_parts import FeedParts
from sense_mqtt.sense.feed.pause import PauseControl
from sense_mqtt.sense.feed.polling import Poller
from sense_mqtt.sense.feed.reporter import FeedReporter
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.state_file import StateFile

CLOSE_S = 2.0  # how long `close` waits for the loop's thread


class Feed:
    """Never two websockets for one monitor. `start` once; any thread may call any method."""

    make_poller = Poller

    def __init__(
        self, monitor: int, session: Session, settings: FeedSettings, *, loop: FeedLoop, random: Random
    ) -> None:
        reporter = FeedReporter(monitor, loop.inbox)
        attempts = Attempts(monitor, session, settings, clock=loop.clock, uniform=random.uniform)
        self._parts = FeedParts(monitor, settings, attempts, reporter, loop.inbox, loop.clock)
        self._pauses = PauseControl(reporter, StateFile(settings.state_dir / f"pause-{monitor}.json"), loop.clock)
        poller = self.make_poller(monitor, session, loop.clock, settings.mode)
        self._machine = FeedMachine(self._parts, session, self._pauses, poller, loop)
        self._loop = loop

    @property
    def transport(self) -> Transport:
        """How frames come at present, or will."""
        return "paused" if self._pauses.current else self._parts.transport

    def start(self) -> None:
        self._loop.add(self._machine)

    def begin_close(self) -> None:
        """Let the feed end soon; many that begin together end together."""
        self._machine.closing = True
        self._loop.call(self._machine.interrupt)

    def close(self) -> None:
        """End the feed; returns within two seconds, whatever the network does."""
        self.begin_close()
        if self._loop.has(self._machine):
            self._machine.closed.wait(CLOSE_S)

    def pause(self, seconds: float, *, silent: bool) -> None:
        """Close the websocket for so many seconds; meanwhile poll, unless `silent`."""
        self._pauses.begin(seconds, silent=silent)
        self._loop.call(self._machine.interrupt)

    def resume(self) -> None:
        """End a pause; without one, nothing happens."""
        self._pauses.end("resumed", self._parts.transport)
        self._loop.call(self._machine.reconsider)
