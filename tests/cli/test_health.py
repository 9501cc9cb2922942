"""`sense-mqtt health`: what it says of a bridge, from what the bridge published."""

import json

from sense_mqtt.cli.health import PATIENCE_S, ask, topics_heard
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


def test_a_health_document_that_is_damaged_is_none():
    state, health = topics_heard(TOPICS)
    verdict, _ = asked(arrived(state, "online"), arrived(health, "{"))
    assert "no bridge/health, though" in verdict.text


def test_without_a_connection_the_reason_is_said():
    verdict, _ = asked(BrokerDropped(1, "connection refused"))
    assert verdict.text == "no connection to the MQTT broker: connection refused"


def test_a_broker_that_keeps_nothing_is_waited_for_a_while():
    verdict, waited_s = asked()
    assert "nothing is retained" in verdict.text
    assert waited_s == PATIENCE_S
