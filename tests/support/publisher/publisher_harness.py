"""A publisher between a remembering broker and a real journal, with a clock that the test turns."""

from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.core.backoff import Backoff, Retries
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped
from sense_mqtt.store.journal import Journal
from tests.support.core.builders import moment
from tests.support.publisher.fake_broker import FakeBroker

STALL_AFTER_S = 60.0


class _LinearRetries(Retries):
    """Waits 1 s, 2 s, 3 s and so on."""

    def next_wait_s(self):
        self.failures += 1
        return float(self.failures)


class PublisherHarness:
    """A publisher with a remembering broker, a real journal and a clock that the test turns."""

    def __init__(self, folder):
        self.broker = FakeBroker()
        self.journal = Journal(folder / "journal.sqlite3")
        self.restart()

    def restart(self):
        """Begin a new process over the same journal."""
        self.publisher = Publisher(self.broker, self.journal, _LinearRetries(Backoff(), max), STALL_AFTER_S)

    def connect(self, at=0.0, receive_maximum=20, maximum_packet_size=None):
        self.publisher.maintain(moment(at))
        self.publisher.on_connected(
            BrokerConnected(self.broker.connection_id, receive_maximum, maximum_packet_size), moment(at)
        )
        self.publisher.flush(moment(at))

    def drop(self, at=0.0, *, reason="gone", taken_over=False):
        self.publisher.on_dropped(BrokerDropped(self.broker.connection_id, reason, taken_over), moment(at))

    def record(self, *payloads):
        events = [Message("sense/7/device/a/event", payload) for payload in payloads]
        self.publisher.record(7, {("home", ""): {"newest": 1}}, events)

    def acknowledge(self, *mids, refusal=None):
        for mid in mids:
            self.publisher.on_acknowledged(Acknowledged(self.broker.connection_id, mid, refusal))

    def acknowledge_all(self):
        """Pump and acknowledge until nothing goes out any more."""
        acknowledged = 0
        while acknowledged < len(self.broker.published):
            acknowledged += 1
            self.acknowledge(acknowledged)
            self.publisher.flush(moment(0))

    def flush(self, at=0.0):
        self.publisher.flush(moment(at))
