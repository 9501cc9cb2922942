"""The bridge under test, polling a house whose minutes pass at once: `run` with a house's clock, and turns taken.

    python -m tests.support.processes.polled_bridge_main CONFIG.yaml BEGINS POLL_STEP_S

The simulated cloud moves its house on by POLL_STEP_S with every poll, and the clock here goes with it. In between it
goes on in strides of STRIDE_S, each as soon as the bridge has done all that there was to do: what is read, told and
acknowledged between two polls depends on no machine's speed. What differs from `run` is time alone.
"""

import functools
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sense_mqtt.assembly.assemble import Factories
from sense_mqtt.assembly.timing import Timing
from sense_mqtt.cli.run import read_config, run
from sense_mqtt.clock import Moment
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Acknowledged, BrokerConnected, FrameArrived, Item, UpdatePolled
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.mqtt.settings import BrokerSettings
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.feed import Feed
from sense_mqtt.sense.feed.polling import Poller
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.rest_queries.worker import RestWorker
from sense_mqtt.sense.workers import Workers

ASKED_S, ANSWERED_S = 0.5, 1.0  # after the moment that a polled frame shows
STRIDE_S = 10.0


class PolledClock:
    """The clock of a house that moves with each poll; both its hands show the house's time."""

    def __init__(self, begins: float, poll_step_s: float) -> None:
        self._polled, self._since_s, self._poll_step_s = begins, ANSWERED_S, poll_step_s

    def now(self) -> Moment:
        time = self._polled + self._since_s
        return Moment(time, time)

    def ask(self) -> None:
        self._polled, self._since_s = self._polled + self._poll_step_s, ASKED_S

    def answer(self) -> None:
        self._since_s = ANSWERED_S

    def stride(self) -> bool:
        """Go on a little; False when it is time for the next poll."""
        if self._since_s + STRIDE_S >= self._poll_step_s:
            return False
        self._since_s += STRIDE_S
        return True


class Turns(Inbox):
    """Lets time go on, and the feed poll, whenever the bridge has nothing left to do."""

    def __init__(self, clock: PolledClock) -> None:
        super().__init__()
        self._clock = clock
        self._may_poll = threading.Event()
        self._is_polling = False
        self._unacknowledged: int | None = None  # None: not connected yet
        self.worker: RestWorker | None = None

    def get(self, timeout_s: float) -> Item | None:
        item = super().get(0.0)
        if item is None and self._is_idle():
            if self._clock.stride():
                return None
            self._is_polling = True
            self._clock.ask()
            self._may_poll.set()
        if item is None:
            item = super().get(timeout_s)
        self._note(item)
        return item

    def take_acknowledged(self) -> list[Acknowledged]:
        taken = super().take_acknowledged()
        for item in taken:
            self._note(item)
        return taken

    def put_frame(self, item: FrameArrived | UpdatePolled) -> bool:
        self._clock.answer()
        return super().put_frame(item)

    def wait_for_poll(self) -> None:
        """Return when it is time to poll; for the feed's thread."""
        self._may_poll.wait()
        self._may_poll.clear()

    def count_published(self) -> None:
        assert self._unacknowledged is not None
        self._unacknowledged += 1

    def _is_idle(self) -> bool:
        return not self._is_polling and self._unacknowledged == 0 and self.worker is not None and not len(self.worker)

    def _note(self, item: Item | None) -> None:
        match item:
            case BrokerConnected():
                self._unacknowledged = 0
            case Acknowledged() if self._unacknowledged is not None:
                self._unacknowledged -= 1
            case UpdatePolled():
                self._is_polling = False


class CountingBroker(MqttClient):
    """Tells of each message that goes out."""

    def __init__(
        self, settings: BrokerSettings, inbox: Turns, will: Message | None, topics: Sequence[str], turns: Turns
    ) -> None:
        super().__init__(settings, inbox, will, topics)
        self._turns = turns

    def publish(self, message: Message) -> int | None:
        number = super().publish(message)
        if number is not None:
            self._turns.count_published()
        return number


class TurnPoller(Poller):
    """Polls when it is its turn. A poll that fails ends the turns, and the test with them."""

    turns: Turns

    def poll(self) -> UpdatePolled:
        self.turns.wait_for_poll()
        return super().poll()


class PolledFeed(Feed):
    make_poller = TurnPoller


def main(config_file: str, begins: str, poll_step_s: str) -> int:
    """Run until told to stop."""
    redactor, clock = Redactor(), PolledClock(float(begins), float(poll_step_s))
    config, turns = read_config(Path(config_file), {}, redactor), Turns(clock)

    TurnPoller.turns = turns

    def make_worker(session: Session, inbox: Inbox, workers: Workers) -> RestWorker:
        turns.worker = RestWorker(session, inbox, workers)
        return turns.worker

    def make_feed(monitor: int, session: Session, settings: FeedSettings, **more: Any) -> Feed:
        settings = replace(settings, poll_interval_s=0.0)  # its thread would wait by the wall
        return PolledFeed(monitor, session, settings, **more)

    factories = Factories(broker=functools.partial(CountingBroker, turns=turns), worker=make_worker, feed=make_feed)
    return run(config, redactor, clock, Timing(rest_spacing_s=0.0), factories, turns)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
