"""A broker that does not take everything: all else arrives, and one line says what does not."""

import logging

import pytest
from builders import moment
from stage import STALL_AFTER_S, Stage

from sense_mqtt.bridge.publisher import ALONE_AFTER_S, HEALTHY_S, REFUSED_MOST_S, STALLED
from sense_mqtt.bridge.refusals import HELD_S
from sense_mqtt.core.publishing.broker_limits import NO_RETAIN, QOS_0
from sense_mqtt.core.publishing.outbox import Message, Rank
from sense_mqtt.core.publishing.postponed import AGAIN_S
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped

TOO_LARGE, NOT_AUTHORIZED = 0x95, 0x87
CONFIG = Message("homeassistant/device/x/config", "config", retain=True, rank=Rank.DISCOVERY)
STATE = Message("sense/bridge/state", "online", retain=True, rank=Rank.BRIDGE_STATE)
EVENTS = "sense/7/device/a/event"


class StrictStage(Stage):
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
            self.publisher.tend(moment(self.at))
            if (
                self.broker.opened
                and not self.publisher.connected
                and self.publisher.is_current(self.broker.generation)
            ):
                self.publisher.take_connected(BrokerConnected(self.broker.generation, 20), moment(self.at))
            self._serve()

    def _serve(self):
        seen = len(self.broker.published)
        self.publisher.pump(moment(self.at))
        while seen < len(self.broker.published):
            message, seen = self.broker.published[seen], seen + 1
            if self.forbids(message):
                self.losses += 1
                item = BrokerDropped(self.broker.generation, "the reason", code=self.code)
                self.publisher.take_dropped(item, moment(self.at))
                return
            self.got.append(message)
            self.acknowledge(seen)
            self.publisher.pump(moment(self.at))


def make(folder, forbids, code):
    stage = StrictStage(folder, forbids, code)
    stage.publisher.say([CONFIG, Message("sense/7/power", "1", retain=True), STATE])
    return stage


PLACES = [
    pytest.param(lambda message: message.rank is Rank.DISCOVERY, id="the first of all"),
    pytest.param(lambda message: message.topic == "sense/7/power", id="a value"),
    pytest.param(lambda message: message.payload == "e2", id="an event"),
    pytest.param(lambda message: message.payload == "answer", id="an answer"),
]


@pytest.mark.parametrize("forbids", PLACES)
@pytest.mark.parametrize(("code", "losses"), [(NOT_AUTHORIZED, 2), (TOO_LARGE, 2), (None, 3)], ids=str)
def test_one_message_that_the_broker_refuses_stops_no_other(tmp_path, caplog, forbids, code, losses):
    stage = make(tmp_path, forbids, code)
    stage.record("e1", "e2", "e3")
    stage.publisher.reply(Message("r", "answer"))
    stage.run(30)
    all_of_them = {"config", "1", "online", "answer", "e1", "e2", "e3"}
    forbidden = {message.payload for message in stage.broker.published if forbids(message)}
    got = {message.payload for message in stage.got}
    if code == NOT_AUTHORIZED and forbidden == {"e2"}:
        got.add("e3")  # on the same topic
    if code == TOO_LARGE:
        got |= {message.payload for message in stage.broker.published if message.size >= 40}
    assert got | forbidden == all_of_them
    assert len(forbidden) == 1
    assert stage.losses <= losses
    assert stage.publisher.connected
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert "the broker ends the connection at " in told[0].getMessage()
    assert " bytes): the reason. It is not sent any more" in told[0].getMessage()
    stage.journal.close()


def test_an_event_on_a_refused_topic_stays_in_the_journal_for_the_next_start(tmp_path):
    stage = make(tmp_path, lambda message: message.topic == EVENTS, NOT_AUTHORIZED)
    stage.record("e1", "e2")
    stage.run(30)
    assert stage.journal.held == 2
    stage.forbids = lambda _: False
    stage.begin_anew()
    stage.run(30)
    assert [message.payload for message in stage.got if message.topic == EVENTS] == ["e1", "e2"]
    stage.journal.close()


def test_an_event_that_is_too_large_is_dropped_and_told(tmp_path, caplog):
    stage = make(tmp_path, lambda message: message.size > 1000, TOO_LARGE)
    stage.record("x" * 2000, "small", "x" * 3000)
    stage.run(30)
    assert stage.journal.held == 0
    assert "small" in [message.payload for message in stage.got]
    assert f"{EVENTS} (2054 bytes): the reason" in caplog.text
    assert stage.publisher.packet_limit == 2053
    stage.journal.close()


def test_a_hundred_discovery_topics_that_are_all_refused_take_a_few_tries(tmp_path, caplog):
    stage = StrictStage(tmp_path, lambda message: message.rank is Rank.DISCOVERY, None)
    configs = [Message(f"homeassistant/sensor/{n}/config", "c", retain=True, rank=Rank.DISCOVERY) for n in range(100)]
    stage.publisher.say([*configs, STATE])
    stage.run(60)
    assert [message.payload for message in stage.got] == ["online"]
    assert stage.losses == 5
    assert "nor are all other topics like homeassistant/sensor/1/config: the broker took none of them" in caplog.text
    stage.journal.close()


def test_a_broker_that_never_acknowledges_one_message_gets_all_others(tmp_path, caplog):
    stage = make(tmp_path, lambda _: False, None)
    stage.acknowledge = lambda mid: None if stage.broker.published[mid - 1] == CONFIG else Stage.acknowledge(stage, mid)
    stage.run(5 * STALL_AFTER_S)
    assert f"at {CONFIG.topic} ({CONFIG.size} bytes): {STALLED}" in caplog.text
    assert stage.publisher.connected
    assert stage.publisher.idle
    stage.journal.close()


def test_where_a_message_is_suspected_nothing_goes_out_at_once(tmp_path):
    """What ends the connection before is a subscription, or another client."""
    stage = Stage(tmp_path)
    stage.publisher.say([CONFIG, STATE])
    stage.connect()
    stage.drop(at=1)
    sent = len(stage.broker.published)
    stage.connect(at=5)
    stage.pump(5 + ALONE_AFTER_S - 0.1)
    assert len(stage.broker.published) == sent
    stage.pump(5 + ALONE_AFTER_S)
    assert stage.broker.published[sent:] == [CONFIG]
    stage.journal.close()


def test_after_a_connection_that_held_long_what_was_kept_back_is_tried_again(tmp_path):
    stage = make(tmp_path, lambda message: message == CONFIG, NOT_AUTHORIZED)
    stage.run(HELD_S + 30)
    assert CONFIG not in stage.got
    stage.forbids = lambda _: False
    stage.drop(at=stage.at)
    stage.run(10)
    assert CONFIG in stage.got
    stage.journal.close()


def test_all_goes_at_once_again_once_everything_was_delivered(tmp_path):
    stage = make(tmp_path, lambda message: message == CONFIG, NOT_AUTHORIZED)
    stage.run(30)
    before = len(stage.broker.published)
    stage.record(*(f"e{n}" for n in range(20)))
    stage.pump(stage.at)
    assert len(stage.broker.published) - before == 20
    stage.journal.close()


def test_what_is_kept_back_is_told_once_a_topic(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    stage = Stage(tmp_path)
    stage.publisher.say([Message("big", "x" * 500, retain=True)])
    stage.connect(packet_limit=200)
    stage.publisher.say_again()
    stage.pump()
    assert caplog.text.count("big: 535 bytes are more than the broker takes: not sent") == 1
    stage.journal.close()


def test_limits_of_the_broker_are_told_once_until_they_change(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    stage = Stage(tmp_path)
    limits = {"retain_available": False, "maximum_qos": 0}
    for at, limit in ((0, limits), (100, limits), (200, {}), (300, limits)):
        stage.publisher.tend(moment(at))
        stage.publisher.take_connected(BrokerConnected(stage.broker.generation, 20, **limit), moment(at))
        stage.drop(at=at + HEALTHY_S)
    assert caplog.text.count(NO_RETAIN) == caplog.text.count(QOS_0) == 2
    stage.journal.close()


def test_what_the_broker_cannot_take_for_the_moment_goes_again_and_is_told_once(tmp_path, caplog):
    stage = Stage(tmp_path)
    stage.record("e1", "e2")
    stage.connect()
    for at, mid in ((0, 1), (AGAIN_S, 3)):
        refused = Acknowledged(stage.broker.generation, mid, "Quota exceeded", transient=True)
        stage.publisher.take_acknowledged(refused)
        stage.pump(at)
        stage.pump(at + AGAIN_S)
    stage.acknowledge(2, 4)
    stage.publisher.tend(moment(1))
    assert stage.broker.payloads == ["e1", "e2", "e1", "e1"]
    assert stage.journal.held == 0
    assert caplog.text.count("the broker refuses sense/7/device/a/event (Quota exceeded): it is sent again") == 1
    stage.journal.close()


# --- how soon it is tried again


def test_a_connection_that_the_broker_refuses_is_tried_more_and_more_seldom(tmp_path):
    stage = Stage(tmp_path)
    waited = []
    at = 0.0
    for _ in range(9):
        stage.publisher.tend(moment(at))
        opened = stage.broker.opened
        item = BrokerDropped(stage.broker.generation, "Not authorized", refused=True)
        stage.publisher.take_dropped(item, moment(at))
        since = at
        while stage.broker.opened == opened:
            at += 1.0
            stage.publisher.tend(moment(at))
        waited.append(at - since)
    assert waited == sorted(waited)
    assert waited[-1] == REFUSED_MOST_S
    stage.journal.close()


def test_an_attempt_that_asks_for_less_follows_at_once_and_is_no_news(tmp_path, caplog):
    stage = Stage(tmp_path)
    stage.publisher.tend(moment(0))
    item = BrokerDropped(stage.broker.generation, "Retain not supported", refused=True, retry_now=True)
    stage.publisher.take_dropped(item, moment(0))
    stage.publisher.tend(moment(0))
    assert stage.broker.opened == 2
    assert caplog.text == ""
    stage.journal.close()
