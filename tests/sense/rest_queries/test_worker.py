"""The REST worker: one lookup at a time, bounded queues, exactly one LookupDone for each lookup that it took."""

import threading
from typing import ClassVar

import pytest

from sense_mqtt.errors import CommandRefused, NotFound, SenseUnavailable
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import LookupDone
from sense_mqtt.sense.rest_queries.lookups import TimelineLookup
from sense_mqtt.sense.rest_queries.worker import MAX_WAITING, RestWorker, Urgency
from sense_mqtt.sense.workers import Workers

PATIENCE_S = 30.0  # a deadline for what comes at once


class Gate:
    """A lookup that says when it began and waits until it may end."""

    def __init__(self):
        self.began, self.may_end = threading.Event(), threading.Event()

    def __call__(self, _session):
        self.began.set()
        assert self.may_end.wait(PATIENCE_S)
        return "through"


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def worker(inbox):
    worker = RestWorker("the session", inbox, Workers())
    worker.start()
    yield worker
    worker.close()


@pytest.fixture
def gate(worker):
    """A lookup under way, so that whatever comes now must wait."""
    gate = Gate()
    worker.submit_command("gate", gate)
    assert gate.began.wait(PATIENCE_S)
    yield gate
    gate.may_end.set()


def tickets(inbox, count):
    return [inbox.get(PATIENCE_S).ticket for _ in range(count)]


def test_a_lookup_gets_the_session_and_its_result_comes_with_the_ticket(worker, inbox):
    worker.submit_command(("a", 1), lambda session: [session])
    assert inbox.get(PATIENCE_S) == LookupDone(("a", 1), ["the session"])


def test_an_error_of_ours_is_the_result(worker, inbox):
    error = NotFound("no device 'zzz' on monitor 123456")

    def fail(_session):
        raise error

    worker.submit_command("a", fail)
    assert inbox.get(PATIENCE_S).result is error


def test_a_failure_nobody_foresaw_is_logged_and_the_thread_lives_on(worker, inbox, caplog):
    worker.submit_command("a", lambda _: 1 // 0)
    worker.submit_command("b", lambda _: 2)
    result = inbox.get(PATIENCE_S).result
    assert isinstance(result, SenseUnavailable)
    assert "ZeroDivisionError" not in str(result)
    assert "ZeroDivisionError" in caplog.text
    assert inbox.get(PATIENCE_S) == LookupDone("b", 2)


def test_eight_wait_and_the_next_is_refused(worker, inbox, gate):
    for number in range(MAX_WAITING):
        worker.submit_command(number, lambda _: None)
    with pytest.raises(CommandRefused) as refusal:
        worker.submit_command("too many", lambda _: None)
    assert refusal.value.code == "busy"
    assert len(worker) == MAX_WAITING + 1
    gate.may_end.set()
    assert tickets(inbox, MAX_WAITING + 1) == ["gate", *range(MAX_WAITING)]


def test_schedules_take_no_place_of_a_command_and_wait_once_each(worker, inbox, gate):
    assert worker.submit_job("energy", lambda _: None)
    assert not worker.submit_job("energy", lambda _: None)
    assert worker.submit_job("devices", lambda _: None)
    for number in range(MAX_WAITING):
        worker.submit_command(number, lambda _: None)
    gate.may_end.set()
    order = tickets(inbox, MAX_WAITING + 3)
    assert order == ["gate", "energy", 0, "devices", *range(1, MAX_WAITING)]


def test_what_is_more_urgent_goes_first_and_equals_in_the_order_in_which_they_came(worker, inbox, gate):
    for ticket, urgency in (
        ("energy of 1", Urgency.FIGURES),
        ("energy of 2", Urgency.FIGURES),
        ("devices of 2", Urgency.DEVICES),
        ("devices of 1", Urgency.DEVICES),
        ("account", Urgency.MONITORS),
        ("timeline", Urgency.GAP),
    ):
        worker.submit_job(ticket, lambda _: None, urgency)
    gate.may_end.set()
    assert tickets(inbox, 7) == [
        "gate",
        "timeline",
        "account",
        "devices of 2",
        "devices of 1",
        "energy of 1",
        "energy of 2",
    ]


def test_the_timeline_of_a_gap_goes_before_commands_that_wait(worker, inbox, gate):
    worker.submit_command("command", lambda _: None)
    worker.submit_job("timeline", lambda _: None, Urgency.GAP)
    gate.may_end.set()
    assert tickets(inbox, 3) == ["gate", "timeline", "command"]


def test_timelines_that_wait_are_read_together_from_the_earliest_on(inbox):
    class OneTimeline:
        asked: ClassVar[list] = []

        def get(self, _path, params):
            self.asked.append(params)
            return {"items": [], "more_items": False}

    worker = RestWorker(OneTimeline(), inbox, Workers())
    for number in range(60):
        worker.submit_job(("gap", number), TimelineLookup(1_795_000_000.0 + number), Urgency.GAP)
    worker.submit_job("missed", TimelineLookup(1_794_000_000.0), Urgency.MISSED_EDGES)
    worker.start()
    done = [inbox.get(PATIENCE_S) for _ in range(61)]
    assert [item.ticket for item in done] == [*(("gap", number) for number in range(60)), "missed"]
    assert {item.result for item in done} == {()}
    assert len(OneTimeline.asked) == 1
    worker.close()


def test_workers_that_are_shared_run_the_lookups_of_one_account_one_by_one_and_those_of_others_meanwhile(inbox):
    workers, slow = Workers(most=2), Gate()
    first, second = RestWorker("first", inbox, workers), RestWorker("second", inbox, workers)
    for each in (first, second):
        each.start()
    first.submit_command("slow", slow)
    first.submit_command("behind it", lambda _: None)
    assert slow.began.wait(PATIENCE_S)
    second.submit_command("another account's", lambda _: None)
    assert tickets(inbox, 1) == ["another account's"]
    slow.may_end.set()
    assert tickets(inbox, 2) == ["slow", "behind it"]
    for each in (first, second):
        each.close()


def test_a_schedule_can_be_taken_again_once_it_began(worker, inbox):
    gate = Gate()
    assert worker.submit_job("energy", gate)
    assert gate.began.wait(PATIENCE_S)
    assert worker.submit_job("energy", lambda _: None)
    gate.may_end.set()
    assert tickets(inbox, 2) == ["energy", "energy"]


def test_closing_answers_all_that_is_not_done_exactly_once(worker, inbox, gate):
    worker.submit_command("command", lambda _: "too late")
    worker.submit_job("schedule", lambda _: "too late")
    worker.close(timeout_s=0.01)
    done = [inbox.get(PATIENCE_S) for _ in range(3)]
    assert sorted(item.ticket for item in done) == ["command", "gate", "schedule"]
    assert all(isinstance(item.result, SenseUnavailable) for item in done)
    gate.may_end.set()
    worker.close(PATIENCE_S)
    assert len(inbox) == 0


def test_a_closed_desk_takes_nothing(worker):
    worker.close()
    with pytest.raises(CommandRefused) as refusal:
        worker.submit_command("a", lambda _: None)
    assert refusal.value.code == "unavailable"
    assert not worker.submit_job("a", lambda _: None)


def test_a_desk_that_never_started_closes(inbox):
    worker = RestWorker("the session", inbox, Workers())
    worker.submit_command("a", lambda _: None)
    worker.close()
    assert inbox.get(PATIENCE_S).ticket == "a"
