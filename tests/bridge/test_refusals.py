"""A broker that does not take everything: all else arrives, and one line says what does not."""

import logging

import pytest

from sense_mqtt.bridge.publisher import ALONE_AFTER_S, HEALTHY_S, STALLED
from sense_mqtt.bridge.refusals import HELD_S
from sense_mqtt.core.publishing.broker_limits import NO_RETAIN, QOS_0
from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.core.publishing.postponed import AGAIN_S
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped
from tests.support.core.builders import moment
from tests.support.publisher.publisher_harness import STALL_AFTER_S, PublisherHarness

TOO_LARGE, NOT_AUTHORIZED = 0x95, 0x87
CONFIG = Message("homeassistant/device/x/config", "config", retain=True, order=PublishOrder.DISCOVERY)
STATE = Message("sense/bridge/state", "online", retain=True, order=PublishOrder.BRIDGE_STATE)
EVENTS = "sense/7/device/a/event"


class StrictStage(PublisherHarness):
    """A broker that ends the connection at some messages, and acknowledges all others in their order."""

    def __init__(self, folder, forbids, code):
        super().__init__(folder)
        self.forbids, self.code = forbids, code
        self.got, self.losses, self.at = [], 0, 0.0

    def run(self, seconds):
        """Let time go by in steps, and the broker do what it does."""
        ends = self.at + seconds
        while self.at < ends:
            self.at += 0.5
            self.publisher.maintain(moment(self.at))
            if (
                self.broker.opened
                and not self.publisher.connected
                and self.publisher.is_current(self.broker.connection_id)
            ):
                self.publisher.on_connected(BrokerConnected(self.broker.connection_id, 20), moment(self.at))
            self._serve()

    def _serve(self):
        seen = len(self.broker.published)
        self.publisher.flush(moment(self.at))
        while seen < len(self.broker.published):
            message, seen = self.broker.published[seen], seen + 1
            if self.forbids(message):
                self.losses += 1
                item = BrokerDropped(self.broker.connection_id, "the reason", code=self.code)
                self.publisher.on_dropped(item, moment(self.at))
                return
            self.got.append(message)
            self.acknowledge(seen)
            self.publisher.flush(moment(self.at))


def make(folder, forbids, code):
    harness = StrictStage(folder, forbids, code)
    harness.publisher.enqueue_retained([CONFIG, Message("sense/7/power", "1", retain=True), STATE])
    return harness


PLACES = [
    pytest.param(lambda message: message.order is PublishOrder.DISCOVERY, id="the first of all"),
    pytest.param(lambda message: message.topic == "sense/7/power", id="a value"),
    pytest.param(lambda message: message.payload == "e2", id="an event"),
    pytest.param(lambda message: message.payload == "answer", id="an answer"),
]


@pytest.mark.parametrize("forbids", PLACES)
@pytest.mark.parametrize(("code", "losses"), [(NOT_AUTHORIZED, 2), (TOO_LARGE, 2), (None, 3)], ids=str)
def test_one_message_that_the_broker_refuses_stops_no_other(tmp_path, caplog, forbids, code, losses):
    harness = make(tmp_path, forbids, code)
    harness.record("e1", "e2", "e3")
    harness.publisher.enqueue_response(Message("r", "answer"))
    harness.run(30)
    all_of_them = {"config", "1", "online", "answer", "e1", "e2", "e3"}
    forbidden = {message.payload for message in harness.broker.published if forbids(message)}
    got = {message.payload for message in harness.got}
    if code == NOT_AUTHORIZED and forbidden == {"e2"}:
        got.add("e3")  # on the same topic
    if code == TOO_LARGE:
        got |= {message.payload for message in harness.broker.published if message.size >= 40}
    assert got | forbidden == all_of_them
    assert len(forbidden) == 1
    assert harness.losses <= losses
    assert harness.publisher.connected
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert "the broker ends the connection at " in told[0].getMessage()
    assert " bytes): the reason. It is not sent any more" in told[0].getMessage()
    harness.journal.close()


def test_an_event_on_a_refused_topic_stays_in_the_journal_for_the_next_start(tmp_path):
    harness = make(tmp_path, lambda message: message.topic == EVENTS, NOT_AUTHORIZED)
    harness.record("e1", "e2")
    harness.run(30)
    assert harness.journal.held == 2
    harness.forbids = lambda _: False
    harness.restart()
    harness.run(30)
    assert [message.payload for message in harness.got if message.topic == EVENTS] == ["e1", "e2"]
    harness.journal.close()


def test_an_event_that_is_too_large_is_dropped_and_reported(tmp_path, caplog):
    harness = make(tmp_path, lambda message: message.size > 1000, TOO_LARGE)
    harness.record("x" * 2000, "small", "x" * 3000)
    harness.run(30)
    assert harness.journal.held == 0
    assert "small" in [message.payload for message in harness.got]
    assert f"{EVENTS} (2054 bytes): the reason" in caplog.text
    assert harness.publisher.refusals.maximum_packet_size == 2053
    harness.journal.close()


def test_a_hundred_discovery_topics_that_are_all_refused_take_a_few_tries(tmp_path, caplog):
    harness = StrictStage(tmp_path, lambda message: message.order is PublishOrder.DISCOVERY, None)
    configs = [
        Message(f"homeassistant/sensor/{n}/config", "c", retain=True, order=PublishOrder.DISCOVERY) for n in range(100)
    ]
    harness.publisher.enqueue_retained([*configs, STATE])
    harness.run(60)
    assert [message.payload for message in harness.got] == ["online"]
    assert harness.losses == 5
    assert "nor are all other topics like homeassistant/sensor/1/config: the broker took none of them" in caplog.text
    harness.journal.close()


def test_a_broker_that_never_acknowledges_one_message_gets_all_others(tmp_path, caplog):
    harness = make(tmp_path, lambda _: False, None)
    harness.acknowledge = lambda mid: (
        None if harness.broker.published[mid - 1] == CONFIG else PublisherHarness.acknowledge(harness, mid)
    )
    harness.run(5 * STALL_AFTER_S)
    assert f"at {CONFIG.topic} ({CONFIG.size} bytes): {STALLED}" in caplog.text
    assert harness.publisher.connected
    assert harness.publisher.idle
    harness.journal.close()


def test_where_a_message_is_suspected_nothing_goes_out_at_once(tmp_path):
    """What ends the connection before is a subscription, or another client."""
    harness = PublisherHarness(tmp_path)
    harness.publisher.enqueue_retained([CONFIG, STATE])
    harness.connect()
    harness.drop(at=1)
    sent = len(harness.broker.published)
    harness.connect(at=5)
    harness.flush(5 + ALONE_AFTER_S - 0.1)
    assert len(harness.broker.published) == sent
    harness.flush(5 + ALONE_AFTER_S)
    assert harness.broker.published[sent:] == [CONFIG]
    harness.journal.close()


def test_after_a_connection_that_held_long_what_was_kept_back_is_tried_again(tmp_path):
    harness = make(tmp_path, lambda message: message == CONFIG, NOT_AUTHORIZED)
    harness.run(HELD_S + 30)
    assert CONFIG not in harness.got
    harness.forbids = lambda _: False
    harness.drop(at=harness.at)
    harness.run(10)
    assert CONFIG in harness.got
    harness.journal.close()


def test_all_goes_at_once_again_once_everything_was_delivered(tmp_path):
    harness = make(tmp_path, lambda message: message == CONFIG, NOT_AUTHORIZED)
    harness.run(30)
    before = len(harness.broker.published)
    harness.record(*(f"e{n}" for n in range(20)))
    harness.flush(harness.at)
    assert len(harness.broker.published) - before == 20
    harness.journal.close()


def test_what_is_kept_back_is_reported_once_a_topic(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    harness = PublisherHarness(tmp_path)
    harness.publisher.enqueue_retained([Message("big", "x" * 500, retain=True)])
    harness.connect(maximum_packet_size=200)
    harness.publisher.republish_all()
    harness.flush()
    assert caplog.text.count("big: 535 bytes are more than the broker takes: not sent") == 1
    harness.journal.close()


def test_limits_of_the_broker_are_reported_once_until_they_change(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    harness = PublisherHarness(tmp_path)
    limits = {"retain_available": False, "maximum_qos": 0}
    for at, limit in ((0, limits), (100, limits), (200, {}), (300, limits)):
        harness.publisher.maintain(moment(at))
        harness.publisher.on_connected(BrokerConnected(harness.broker.connection_id, 20, **limit), moment(at))
        harness.drop(at=at + HEALTHY_S)
    assert caplog.text.count(NO_RETAIN) == caplog.text.count(QOS_0) == 2
    harness.journal.close()


def test_what_the_broker_cannot_take_for_the_moment_goes_again_and_is_reported_once(tmp_path, caplog):
    harness = PublisherHarness(tmp_path)
    harness.record("e1", "e2")
    harness.connect()
    for at, mid in ((0, 1), (AGAIN_S, 3)):
        refused = Acknowledged(harness.broker.connection_id, mid, "Quota exceeded", transient=True)
        harness.publisher.on_acknowledged(refused)
        harness.flush(at)
        harness.flush(at + AGAIN_S)
    harness.acknowledge(2, 4)
    harness.publisher.maintain(moment(1))
    assert harness.broker.payloads == ["e1", "e2", "e1", "e1"]
    assert harness.journal.held == 0
    assert caplog.text.count("the broker refuses sense/7/device/a/event (Quota exceeded): it is sent again") == 1
    harness.journal.close()
