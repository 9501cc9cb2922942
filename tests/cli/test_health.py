"""`sense-mqtt health`: what it says of a bridge, from what the bridge published."""

import json

import pytest

from sense_mqtt.cli.health import PATIENCE_S, Heard, ask, topics_heard
from sense_mqtt.core.health_rule import SILENCE_S, judge
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import BrokerDropped, MessageArrived
from tests.support.core.builders import START, moment
from tests.support.publisher.fake_broker import FakeBroker

TOPICS = Topics()


def document(age_s=30.0, **more):
    fields = {"time": write_timestamp(START - age_s), "feeds": {"7": "stream"}, "auth": "ok", **more}
    return json.dumps({key: value for key, value in fields.items() if value is not None})


def judged(state="online", text=None):
    said = Heard()
    if state is not None:
        said.add_message(TOPICS.bridge("state"), state)
    said.add_message(TOPICS.bridge("health"), document() if text is None else text)
    return judge(said.state, said.document, START)


WELL = [
    pytest.param(document(), "frames come, or are paused as asked: 7 stream", id="a stream"),
    pytest.param(document(feeds={"7": "poll", "8": "snapshot"}), "7 poll, 8 snapshot", id="polled"),
    pytest.param(document(feeds={"7": "paused"}), "7 paused", id="paused by a command"),
    pytest.param(document(auth="auth_required", feeds={"7": "offline"}), "the login needs a person", id="login"),
    pytest.param(document(auth="unavailable", feeds={}), "Sense cannot be reached", id="an outage of Sense"),
    pytest.param(document(auth="starting", feeds=None), "it has just started", id="the start"),
    pytest.param(document(auth="unavailable"), "7 stream", id="frames come while Sense's REST API is away"),
]


@pytest.mark.parametrize(("text", "words"), WELL)
def test_a_bridge_is_healthy_while_frames_come_or_it_waits_for_a_reason(text, words):
    verdict = judged(text=text)
    assert verdict.is_healthy
    assert words in verdict.text


ILL = [
    pytest.param(None, "", "nothing is retained on bridge/state", id="never there"),
    pytest.param("offline", None, "the bridge is offline", id="not connected"),
    pytest.param("online", document(age_s=SILENCE_S + 1), "no bridge/health for 151 s", id="the loop stands still"),
    pytest.param("online", "{", "no bridge/health, though", id="no health document"),
    pytest.param("online", document(time=5), "no bridge/health, though", id="a time that is none"),
    pytest.param("online", document(feeds={"7": "offline", "8": "stream"}), "of monitor 7;", id="a feed is offline"),
    pytest.param("online", document(feeds=[]), "the account has no monitor", id="no monitor"),
]


@pytest.mark.parametrize(("state", "text", "words"), ILL)
def test_a_bridge_is_not_healthy_where_no_reason_is_known(state, text, words):
    verdict = judged(state, text)
    assert not verdict.is_healthy
    assert words in verdict.text


class WaitingClock:
    """A clock that shows when the inbox had been waited for in vain."""

    def __init__(self):
        self.waited_s = 0.0

    def now(self):
        return moment(self.waited_s)


class ScriptedInbox(Inbox):
    """Holds what is there; waiting for more takes as long as is waited for."""

    def __init__(self, clock, *items):
        super().__init__()
        self._clock = clock
        for item in items:
            self.put(item)

    def get(self, timeout_s):
        item = super().get(0.0)
        if item is None:
            self._clock.waited_s += timeout_s
        return item


def asked(*items):
    clock, client = WaitingClock(), FakeBroker()
    verdict = ask(ScriptedInbox(clock, *items), client, clock)
    assert (client.opened, client.closed) == (1, True)
    return verdict, clock.waited_s


def arrived(topic, payload):
    return MessageArrived(1, topic, payload.encode(), retain=True)


def test_what_the_broker_keeps_is_enough():
    state, health = topics_heard(TOPICS)
    verdict, waited_s = asked(arrived(state, "online"), arrived(health, document()))
    assert verdict.is_healthy
    assert waited_s == 0.0


def test_an_offline_bridge_needs_no_document():
    verdict, waited_s = asked(arrived(TOPICS.bridge("state"), "offline"))
    assert not verdict.is_healthy
    assert waited_s == 0.0


def test_without_a_connection_the_reason_is_said():
    verdict, _ = asked(BrokerDropped(1, "connection refused"))
    assert verdict.text == "no connection to the MQTT broker: connection refused"


def test_a_broker_that_keeps_nothing_is_waited_for_a_while():
    verdict, waited_s = asked()
    assert "nothing is retained" in verdict.text
    assert waited_s == PATIENCE_S
