"""The life of the connection that carries what is published."""

import logging

import pytest
from builders import moment
from stage import STALL_AFTER_S, Stage

from sense_mqtt.bridge.publisher import ALONE_AFTER_S, ATTEMPT_S, HEALTHY_S, TAKEN_OVER_S


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    made.journal.close()


def test_a_connection_is_opened_once_and_again_after_the_wait(stage):
    stage.publisher.tend(moment(0))
    stage.publisher.tend(moment(1))
    assert stage.broker.opened == 1
    stage.drop(at=1)  # the first wait is 1 s
    stage.publisher.tend(moment(1.9))
    assert stage.broker.opened == 1
    stage.publisher.tend(moment(2))
    assert stage.broker.opened == 2
    stage.drop(at=2)  # the second 2 s
    stage.publisher.tend(moment(3.9))
    assert stage.broker.opened == 2
    stage.publisher.tend(moment(4))
    assert stage.broker.opened == 3


@pytest.mark.parametrize(
    ("lasted_s", "opened"),
    [pytest.param(HEALTHY_S, 5, id="that lasted"), pytest.param(1, 4, id="not after a short one")],
)
def test_waits_begin_anew_after_a_connection(stage, lasted_s, opened):
    for at in (0, 10, 20):
        stage.publisher.tend(moment(at))
        stage.drop(at=at)
    stage.connect(at=30)
    stage.drop(at=30 + lasted_s)
    stage.publisher.tend(moment(30 + lasted_s + 1))
    assert stage.broker.opened == opened


def test_an_attempt_that_nobody_answers_is_given_up(stage, caplog):
    stage.publisher.tend(moment(0))
    stage.publisher.tend(moment(ATTEMPT_S))
    assert stage.broker.abandoned == 0
    stage.publisher.tend(moment(ATTEMPT_S + 0.1))
    assert stage.broker.abandoned == 1
    assert "it does not answer" in caplog.text
    stage.publisher.tend(moment(ATTEMPT_S + 1.1))
    assert stage.broker.opened == 2


def test_a_connection_that_acknowledges_nothing_is_given_up_and_its_messages_go_again(stage, caplog):
    stage.record("e1")
    stage.connect()
    stage.publisher.tend(moment(STALL_AFTER_S))
    assert stage.broker.abandoned == 0
    stage.publisher.tend(moment(STALL_AFTER_S + 0.1))
    assert not stage.publisher.connected
    assert "it acknowledges nothing" in caplog.text
    stage.connect(at=STALL_AFTER_S + 2)
    stage.pump(STALL_AFTER_S + 2 + ALONE_AFTER_S)
    assert stage.broker.payloads == ["e1", "e1"]


def test_a_quiet_connection_is_kept(stage):
    stage.connect()
    stage.publisher.tend(moment(86400))
    assert stage.publisher.connected
    assert (stage.broker.opened, stage.broker.abandoned) == (1, 0)


def test_two_clients_with_one_id_do_not_throw_each_other_out_without_end(stage):
    stage.connect()
    stage.drop(at=1, taken_over=True)
    stage.publisher.tend(moment(TAKEN_OVER_S))
    assert stage.broker.opened == 1
    stage.publisher.tend(moment(TAKEN_OVER_S + 1))
    assert stage.broker.opened == 2


def test_items_of_a_connection_that_was_given_up_are_not_current(stage):
    assert not stage.publisher.is_current(0)
    stage.publisher.tend(moment(0))
    assert stage.publisher.is_current(1)
    stage.drop(at=0)
    assert not stage.publisher.is_current(1)
    stage.connect(at=5)
    assert stage.publisher.is_current(2)
    assert not stage.publisher.is_current(1)


def test_one_reason_is_told_once_until_a_connection_stands(stage, caplog):
    caplog.set_level(logging.WARNING)
    for at in (0, 10, 20):
        stage.publisher.tend(moment(at))
        stage.drop(at=at, reason="connection refused")
    assert len(caplog.records) == 1
    stage.publisher.tend(moment(30))
    stage.drop(at=30, reason="not authorized")
    assert len(caplog.records) == 2
    stage.connect(at=40)
    stage.drop(at=40 + HEALTHY_S, reason="not authorized")
    assert len(caplog.records) == 3


def test_two_clients_with_one_id_are_told_once_and_that_it_ended_too(stage, caplog):
    caplog.set_level(logging.INFO)
    for at in (0, 100, 200, 300):
        stage.connect(at=at)
        stage.drop(at=at + 1, taken_over=True)
    stage.connect(at=400)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    stage.publisher.tend(moment(400 + HEALTHY_S))
    stage.publisher.tend(moment(401 + HEALTHY_S))
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]


def test_all_is_idle_only_when_the_journal_was_handed_over_too(stage):
    assert stage.publisher.idle
    stage.record("e1")
    assert not stage.publisher.idle
    stage.connect()
    stage.acknowledge(1)
    assert stage.publisher.idle


def test_a_connection_that_ends_soon_after_it_was_made_is_told_with_its_possible_causes(stage, caplog):
    stage.record("e1", "e2")
    stage.connect()
    stage.drop(at=HEALTHY_S, reason="the connection was lost")
    assert "possible causes" not in caplog.text
    stage.connect(at=40)
    stage.drop(at=40 + HEALTHY_S - 1, reason="the connection was lost")
    assert (
        "the connection was lost; possible causes: a message that it refuses (2 unacknowledged, first "
        "sense/7/device/a/event, 56 bytes), another client that uses mqtt.client_id, a right that the user of "
        "mqtt.username lacks; trying again"
    ) in caplog.text


def test_last_words_that_were_heard_end_the_connection_in_good_order(stage):
    stage.record("e1")
    stage.connect()
    stage.acknowledge(1)
    stage.publisher.close()
    assert (stage.broker.closed, stage.broker.hung_up) == (True, False)
