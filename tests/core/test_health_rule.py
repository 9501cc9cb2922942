"""When a bridge counts as working, by what it publishes of itself."""

import pytest

from sense_mqtt.core.health_rule import SILENCE_S, evaluate_health
from sense_mqtt.core.timestamps import write_timestamp
from tests.support.core.builders import START


def document(age_s=30.0, **more):
    fields = {"time": write_timestamp(START - age_s), "feeds": {"7": "stream"}, "auth": "ok", **more}
    return {key: value for key, value in fields.items() if value is not None}


WELL = [
    pytest.param(document(), "frames come, or are paused as asked: 7 stream", id="a stream"),
    pytest.param(document(feeds={"7": "poll", "8": "snapshot"}), "7 poll, 8 snapshot", id="polled"),
    pytest.param(document(feeds={"7": "paused"}), "7 paused", id="paused by a command"),
    pytest.param(document(auth="auth_required", feeds={"7": "offline"}), "the login needs a person", id="login"),
    pytest.param(document(auth="unavailable", feeds={}), "Sense cannot be reached", id="an outage of Sense"),
    pytest.param(document(auth="starting", feeds=None), "it has just started", id="the start"),
    pytest.param(document(auth="unavailable"), "7 stream", id="frames come while Sense's REST API is away"),
]


@pytest.mark.parametrize(("given", "words"), WELL)
def test_a_bridge_is_healthy_while_frames_come_or_it_waits_for_a_reason(given, words):
    result = evaluate_health("online", given, START)
    assert result.is_healthy
    assert words in result.text


ILL = [
    pytest.param(None, {}, "nothing is retained on bridge/state", id="never there"),
    pytest.param("offline", document(), "the bridge is offline", id="not connected"),
    pytest.param("online", document(age_s=SILENCE_S + 1), "no bridge/health for 151 s", id="the loop stands still"),
    pytest.param("online", {}, "no bridge/health, though", id="no health document"),
    pytest.param("online", document(time=5), "no bridge/health, though", id="a time that is none"),
    pytest.param("online", document(feeds={"7": "offline", "8": "stream"}), "of monitor 7;", id="a feed is offline"),
    pytest.param("online", document(feeds=[]), "the account has no monitor", id="no monitor"),
]


@pytest.mark.parametrize(("state", "given", "words"), ILL)
def test_a_bridge_is_not_healthy_where_no_reason_is_known(state, given, words):
    result = evaluate_health(state, given, START)
    assert not result.is_healthy
    assert words in result.text
