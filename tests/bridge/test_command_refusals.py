"""Requests that are refused, and where the response goes."""

import pytest

from tests.support.bridge.bridge_harness import asked


@pytest.mark.parametrize(
    ("command", "payload", "more", "code"),
    [
        pytest.param("status", b"{", {}, "bad_request", id="no JSON"),
        pytest.param("status", b"\xff\xfe", {}, "bad_request", id="no UTF-8"),
        pytest.param("status", b"[]", {}, "bad_request", id="no object"),
        pytest.param("status", b" " * 70_000, {}, "too_large", id="too large"),
        pytest.param("status", {"nonsense": 1}, {}, "bad_request", id="an unknown argument"),
        pytest.param("status", {"monitor": 99}, {}, "not_found", id="an unknown monitor"),
        pytest.param("pause", {"monitor": 99}, {}, "not_found", id="an unknown monitor to be paused"),
        pytest.param("status", b"", {"retain": True}, "bad_request", id="retained"),
        pytest.param("pause", {"minutes": 1441}, {}, "bad_request", id="too long a pause"),
        pytest.param("log_level", {}, {}, "bad_request", id="no level"),
        pytest.param("nonsense", b"", {}, "unknown_command", id="an unknown command"),
        pytest.param("a/b", b"", {}, "unknown_command", id="a command with a slash"),
    ],
)
def test_a_request_that_cannot_be_is_refused_once(bridge, command, payload, more, code):
    assert [answer["code"] for answer in asked(bridge, command, payload, **more)] == [code]
    assert bridge.session.asked.count("app/monitors/7/status") == 1  # at the start


def test_an_answer_that_the_broker_cannot_take_is_refused(bridge):
    bridge.drop()
    bridge.pass_time(3)
    bridge.connect(maximum_packet_size=2000)
    bridge.session.responses["app/monitors/7/status"] = "x" * 3000
    assert [answer["code"] for answer in asked(bridge, "status")] == ["too_large"]


def test_a_response_topic_is_answered_there_and_nowhere_else(bridge):
    bridge.ask("health", response_topic="mine/answer", correlation=b"\x01")
    bridge.ask("nonsense", response_topic="mine/answer", correlation=b"\x02")
    [first, second] = bridge.published("mine/answer")
    assert (first.correlation, second.correlation) == (b"\x01", b"\x02")
    assert not first.retain
    assert bridge.published("response/health") == bridge.published("response/nonsense") == []


def test_a_request_on_a_connection_that_was_given_up_is_not_carried_out(bridge):
    connection_id = bridge.broker.connection_id
    bridge.drop()
    bridge.broker.connection_id = connection_id + 1
    bridge.ask("restart")
    bridge.connect()
    assert bridge.answers("restart") == []
