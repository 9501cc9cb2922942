"""The life of the connection that carries what is published."""

import logging

import pytest

from sense_mqtt.bridge.publisher import ALONE_AFTER_S, ATTEMPT_S, HEALTHY_S, MAX_REFUSED_S, TAKEN_OVER_S
from sense_mqtt.items import BrokerDropped
from tests.support.core.builders import moment
from tests.support.publisher.publisher_harness import STALL_AFTER_S, PublisherHarness


@pytest.fixture
def harness(tmp_path):
    made = PublisherHarness(tmp_path)
    yield made
    made.journal.close()


def test_a_connection_is_opened_once_and_again_after_the_wait(harness):
    harness.publisher.maintain(moment(0))
    harness.publisher.maintain(moment(1))
    assert harness.broker.opened == 1
    harness.drop(at=1)  # the first wait is 1 s
    harness.publisher.maintain(moment(1.9))
    assert harness.broker.opened == 1
    harness.publisher.maintain(moment(2))
    assert harness.broker.opened == 2
    harness.drop(at=2)  # the second 2 s
    harness.publisher.maintain(moment(3.9))
    assert harness.broker.opened == 2
    harness.publisher.maintain(moment(4))
    assert harness.broker.opened == 3


@pytest.mark.parametrize(
    ("lasted_s", "opened"),
    [pytest.param(HEALTHY_S, 5, id="that lasted"), pytest.param(1, 4, id="not after a short one")],
)
def test_waits_begin_anew_after_a_connection(harness, lasted_s, opened):
    for at in (0, 10, 20):
        harness.publisher.maintain(moment(at))
        harness.drop(at=at)
    harness.connect(at=30)
    harness.drop(at=30 + lasted_s)
    harness.publisher.maintain(moment(30 + lasted_s + 1))
    assert harness.broker.opened == opened


def test_an_attempt_that_nobody_answers_is_given_up(harness, caplog):
    harness.publisher.maintain(moment(0))
    harness.publisher.maintain(moment(ATTEMPT_S))
    assert harness.broker.abandoned == 0
    harness.publisher.maintain(moment(ATTEMPT_S + 0.1))
    assert harness.broker.abandoned == 1
    assert "no CONNACK within 15 s" in caplog.text
    harness.publisher.maintain(moment(ATTEMPT_S + 1.1))
    assert harness.broker.opened == 2


def test_a_connection_that_acknowledges_nothing_is_given_up_and_its_messages_go_again(harness, caplog):
    harness.record("e1")
    harness.connect()
    harness.publisher.maintain(moment(STALL_AFTER_S))
    assert harness.broker.abandoned == 0
    harness.publisher.maintain(moment(STALL_AFTER_S + 0.1))
    assert not harness.publisher.connected
    assert "no PUBACK came" in caplog.text
    harness.connect(at=STALL_AFTER_S + 2)
    harness.flush(STALL_AFTER_S + 2 + ALONE_AFTER_S)
    assert harness.broker.payloads == ["e1", "e1"]


def test_a_quiet_connection_is_kept(harness):
    harness.connect()
    harness.publisher.maintain(moment(86400))
    assert harness.publisher.connected
    assert (harness.broker.opened, harness.broker.abandoned) == (1, 0)


def test_two_clients_with_one_id_do_not_throw_each_other_out_without_end(harness):
    harness.connect()
    harness.drop(at=1, taken_over=True)
    harness.publisher.maintain(moment(TAKEN_OVER_S))
    assert harness.broker.opened == 1
    harness.publisher.maintain(moment(TAKEN_OVER_S + 1))
    assert harness.broker.opened == 2


def test_items_of_a_connection_that_was_given_up_are_not_current(harness):
    assert not harness.publisher.is_current(0)
    harness.publisher.maintain(moment(0))
    assert harness.publisher.is_current(1)
    harness.drop(at=0)
    assert not harness.publisher.is_current(1)
    harness.connect(at=5)
    assert harness.publisher.is_current(2)
    assert not harness.publisher.is_current(1)


def test_one_reason_is_reported_once_until_a_connection_stands(harness, caplog):
    caplog.set_level(logging.WARNING)
    for at in (0, 10, 20):
        harness.publisher.maintain(moment(at))
        harness.drop(at=at, reason="connection refused")
    assert len(caplog.records) == 1
    harness.publisher.maintain(moment(30))
    harness.drop(at=30, reason="not authorized")
    assert len(caplog.records) == 2
    harness.connect(at=40)
    harness.drop(at=40 + HEALTHY_S, reason="not authorized")
    assert len(caplog.records) == 3


def test_two_clients_with_one_id_are_reported_once_and_that_it_ended_too(harness, caplog):
    caplog.set_level(logging.INFO)
    for at in (0, 100, 200, 300):
        harness.connect(at=at)
        harness.drop(at=at + 1, taken_over=True)
    harness.connect(at=400)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    harness.publisher.maintain(moment(400 + HEALTHY_S))
    harness.publisher.maintain(moment(401 + HEALTHY_S))
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]


def test_all_is_idle_only_when_the_journal_was_handed_over_too(harness):
    assert harness.publisher.idle
    harness.record("e1")
    assert not harness.publisher.idle
    harness.connect()
    harness.acknowledge(1)
    assert harness.publisher.idle


def test_a_connection_that_ends_soon_after_it_was_made_is_reported_with_its_possible_causes(harness, caplog):
    harness.record("e1", "e2")
    harness.connect()
    harness.drop(at=HEALTHY_S, reason="the connection was lost")
    assert "possible causes" not in caplog.text
    harness.connect(at=40)
    harness.drop(at=40 + HEALTHY_S - 1, reason="the connection was lost")
    assert (
        "the connection was lost; possible causes: a message that it refuses (2 unacknowledged, first "
        "sense/7/device/a/event, 56 bytes), another client that uses mqtt.client_id, a right that the user of "
        "mqtt.username lacks; trying again"
    ) in caplog.text


def test_last_words_that_were_heard_end_the_connection_in_good_order(harness):
    harness.record("e1")
    harness.connect()
    harness.acknowledge(1)
    harness.publisher.close()
    assert (harness.broker.closed, harness.broker.hung_up) == (True, False)


def test_a_connection_that_the_broker_refuses_is_tried_more_and_more_seldom(tmp_path):
    harness = PublisherHarness(tmp_path)
    waited = []
    at = 0.0
    for _ in range(9):
        harness.publisher.maintain(moment(at))
        opened = harness.broker.opened
        item = BrokerDropped(harness.broker.connection_id, "Not authorized", refused=True)
        harness.publisher.on_dropped(item, moment(at))
        since = at
        while harness.broker.opened == opened:
            at += 1.0
            harness.publisher.maintain(moment(at))
        waited.append(at - since)
    assert waited == sorted(waited)
    assert waited[-1] == MAX_REFUSED_S
    harness.journal.close()


def test_an_attempt_that_asks_for_less_follows_at_once_and_is_no_news(tmp_path, caplog):
    harness = PublisherHarness(tmp_path)
    harness.publisher.maintain(moment(0))
    item = BrokerDropped(harness.broker.connection_id, "Retain not supported", refused=True, retry_now=True)
    harness.publisher.on_dropped(item, moment(0))
    harness.publisher.maintain(moment(0))
    assert harness.broker.opened == 2
    assert caplog.text == ""
    harness.journal.close()
