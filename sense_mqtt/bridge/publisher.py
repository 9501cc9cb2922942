"""All that goes to the broker: what waits, what is unacknowledged, and the connection."""

import logging
import math
from collections.abc import Iterable, Sequence

from sense_mqtt.bridge.announced import Announced
from sense_mqtt.bridge.journal_events import JournalEvents
from sense_mqtt.bridge.refusals import Refusals, possible_causes
from sense_mqtt.clock import Moment
from sense_mqtt.core.backoff import Retries
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.messages import as_of, event_id_of
from sense_mqtt.core.publishing.outbox import Outbox
from sense_mqtt.core.stored_home import Rows
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped
from sense_mqtt.logs.repeat_log import RepeatLog
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.store.journal import Journal
from sense_mqtt.store.posts import Post

logger = logging.getLogger(__name__)

ATTEMPT_S = 15.0  # a connection attempt is given up after so long
ECHO_S = 1.0  # for the echoes of events whose acknowledgement was lost with the connection
HEALTHY_S = 30.0  # a connection that ends sooner is one more failure
ALONE_AFTER_S = 1.0  # where one message goes at a time, after so long: what ends the connection before is no message
MAX_REFUSED_S = 60.0  # the wait after a refusal, which doubles up to this
STALLED = "no PUBACK came"
CONNECTION = "connection"  # in the log
NO_CONNACK = f"no CONNACK within {ATTEMPT_S:.0f} s"
TAKEN_OVER_S = 60.0  # two bridges with one client id throw each other out: not more often than this


class Publisher:
    """Owns the queue, the journal's events and the connection's life. For the bridge's thread only."""

    def __init__(self, broker: MqttClient, journal: Journal, retries: Retries, stall_after_s: float) -> None:
        self._broker = broker
        self._journal = journal
        self.announced = Announced(journal)
        self._retries = retries
        self._stall_after_s = stall_after_s
        self.outbox = Outbox()
        self._events = JournalEvents(journal)
        self.refusals = Refusals()
        self._rejections = 0  # connections that the broker refused, in a row
        self._receive_maximum = 0  # of the present connection
        self._alone_at = 0.0  # monotonic seconds: nothing goes out before
        self._attempt_ends = math.inf  # monotonic seconds
        self._open_at = self._healthy_at = 0.0
        self._release_at = math.inf  # events whose acknowledgement was lost go again
        self._log = RepeatLog(logger)
        self._is_unstable = False  # the last connection was short: the next one is not logged before it is healthy
        self.connected = False

    # --- what is to be published

    def enqueue_retained(self, messages: Iterable[Message]) -> None:
        """Take retained messages to be sent."""
        for message in self.announced.noted(messages):
            self.outbox.enqueue_retained(message)

    def record(self, monitor: int, rows: Rows, events: Iterable[Message], posts: Sequence[Post] = ()) -> None:
        """Store events together with what is known of the home; they go out from the journal, to webhooks too."""
        self._journal.record(monitor, rows, [(event.topic, event.payload) for event in events], posts)

    def record_progress(self, monitor: int, rows: Rows) -> None:
        """Store some of what is known of the home; a cut of power may take it back."""
        self._journal.record_progress(monitor, rows)

    def recall(self, monitor: int) -> Rows:
        """Return what was recorded of a monitor; empty where nothing was."""
        return self._journal.recall(monitor)

    def announce(self, event: Message) -> None:
        """Store an event that belongs to no home."""
        self._journal.append(event.topic, event.payload)

    def enqueue_response(self, message: Message) -> None:
        if not self.outbox.enqueue_response(message):
            logger.warning("response queue full; response on %s dropped", message.topic)

    @property
    def room_for_responses(self) -> int:
        return self.outbox.room_for_responses

    def republish_all(self) -> None:
        """Send everything retained again."""
        self.outbox.republish_all()

    # --- the connection

    def on_connected(self, item: BrokerConnected, now: Moment) -> None:
        self.connected = True
        self._attempt_ends = math.inf
        self._rejections = 0
        self._healthy_at = now.monotonic + HEALTHY_S
        if not self._is_unstable:
            self._log_connected()
        self.refusals.connected(item, now)
        self._receive_maximum, narrow = item.receive_maximum, self.refusals.receive_maximum
        self._alone_at = now.monotonic + ALONE_AFTER_S if narrow else now.monotonic
        if self.outbox.connected(narrow or item.receive_maximum, resumed=item.resumed):
            self._release_at = now.monotonic + ECHO_S

    def on_dropped(self, item: BrokerDropped, now: Moment) -> None:
        if item.taken_over:
            told = "another client came with our mqtt.client_id: give each bridge its own"
            self._disconnected(item, now, told, least_s=TAKEN_OVER_S)
        elif item.refused and not item.retry_now:
            least_s = min(2.0**self._rejections, MAX_REFUSED_S)
            self._rejections += least_s < MAX_REFUSED_S
            self._disconnected(item, now, least_s=least_s)
        elif self.connected and now.monotonic < self._healthy_at:  # not every broker says why
            self._disconnected(item, now, possible_causes(item, self.outbox.inflight))
        else:
            self._disconnected(item, now)

    def on_acknowledged(self, item: Acknowledged) -> None:
        message = self.outbox.acknowledged(item.mid)
        if message is None:
            return
        if item.refusal is not None:
            if self.refusals.refused(message.topic, item.refusal, is_transient=item.transient):
                self.outbox.postpone(message)
            return
        self.refusals.acknowledged(message)
        self.announced.acknowledge(message)
        if message.event is not None:
            logger.debug("event %d acknowledged by the broker", message.event)
            self._events.delivered(message.event)  # a refused one stays in the journal, for the next start

    def on_echo(self, topic: str, payload: str) -> None:
        """Our own event came back: the broker has it, also where its acknowledgement was lost."""
        number = self.outbox.echoed(topic, event_id_of(payload))
        if number is not None:
            self._events.delivered(number)

    def is_current(self, connection_id: int) -> bool:
        """True where an item is of the present connection, not of one that was given up."""
        return connection_id == self._broker.connection_id and (self.connected or self._attempt_ends < math.inf)

    def maintain(self, now: Moment) -> None:
        """Connect when that is due, and give up a connection that does not respond. Call once a second."""
        if self.outbox.oldest_inflight_s(now.monotonic) > self._stall_after_s:
            self._disconnected(BrokerDropped(self._broker.connection_id, STALLED), now)
        elif now.monotonic > self._attempt_ends:
            self._disconnected(BrokerDropped(self._broker.connection_id, NO_CONNACK), now)
        elif not self.connected and self._attempt_ends == math.inf and now.monotonic >= self._open_at:
            self._attempt_ends = now.monotonic + ATTEMPT_S
            self._broker.open()
        if self.connected and self._is_unstable and now.monotonic >= self._healthy_at:
            self._log_connected()
        self._broker.maintain()
        self._forget_delivered()
        self._journal.maintain()

    def _log_connected(self) -> None:
        logger.info("connected to the MQTT broker")
        self._is_unstable = False
        self._log.reset(CONNECTION)

    def _disconnected(self, item: BrokerDropped, now: Moment, told: str = "", least_s: float = 0.0) -> None:
        early = item.reason == STALLED or now.monotonic < self._healthy_at
        if self.connected:
            self._is_unstable = now.monotonic < self._healthy_at
            if not self._is_unstable:
                self._retries.reset()
        self._broker.discard()
        if self.refusals.connection_lost(self.outbox.inflight, item, now, early=early):
            self._retries.reset()
        self.outbox.disconnected()
        self.connected = False
        self._attempt_ends = math.inf
        self._open_at = now.monotonic if item.retry_now else now.monotonic + max(self._retries.next_wait_s(), least_s)
        self._log_disconnected(item.reason, told or item.reason, is_news=not item.retry_now)

    def _log_disconnected(self, reason: str, told: str, *, is_news: bool) -> None:
        level = logging.WARNING if is_news else logging.DEBUG
        what = f"{reason} {told != reason}"
        self._log.log(CONNECTION, "no connection to the MQTT broker: %s; trying again", told, level=level, reason=what)

    # --- what goes out

    def flush(self, now: Moment) -> None:
        """Hand to the broker what may go out now."""
        if now.monotonic >= self._release_at:
            self._release_at = math.inf
            self.outbox.release_events()
        self.outbox.release_postponed(now.monotonic)
        if now.monotonic < self._alone_at:
            return
        if not self._events.all_read:
            self._refill()
        while (waiting := self.outbox.next()) is not None and self._send(waiting, now):
            pass
        self._broker.flush()
        if self.refusals.receive_maximum and self.idle:
            self.refusals.all_delivered()
            self.outbox.set_receive_maximum(self._receive_maximum)

    def _send(self, waiting: Message, now: Moment) -> bool:
        """Send a message, or pass it over; False where there is no connection."""
        message = as_of(waiting, now.wall)
        if self.refusals.withholds(message):
            self._pass_over(message)
            self._refill()
            return True
        self.announced.keep(message)
        mid = self._broker.publish(message)
        if mid is None:
            self.outbox.requeue(waiting)
            return False
        self.outbox.sent(mid, message, now.monotonic)
        if message.event is not None:
            logger.debug("event %d sent as message %d: %s %s", message.event, mid, message.topic, message.payload)
        return True

    def _refill(self) -> None:
        for event, is_maybe_delivered in self._events.next_ones(self.outbox.room_for_events):
            self.outbox.enqueue_event(event, maybe_delivered=is_maybe_delivered)

    def _pass_over(self, message: Message) -> None:
        if message.event is not None and self.refusals.is_too_large(message):  # any other stays, for the next start
            self._events.delivered(message.event)

    def _forget_delivered(self) -> None:
        self._events.forget_delivered()
        self.announced.flush()

    @property
    def lengths(self) -> dict[str, int]:
        return {**self.outbox.lengths, "journal": self._journal.held}

    @property
    def idle(self) -> bool:
        """All that was said is acknowledged."""
        return self.outbox.idle and self._events.all_read

    def close(self) -> None:
        """End the connection, in good order where our last words were heard: else the will tells that we are gone."""
        is_heard, self.connected = self.idle or not self.connected, False
        if is_heard:
            self._broker.close()
        else:
            self._broker.close_without_disconnect()
        self._forget_delivered()
