"""Named jobs on the monotonic clock."""

from sense_mqtt.core.job_queue import Agenda


def test_jobs_are_taken_once_when_due_and_oldest_first():
    agenda = Agenda()
    agenda.put("late", 30)
    agenda.put("early", 10)
    agenda.put("later", 31)
    assert agenda.take(9.9) == []
    assert agenda.take(30) == ["early", "late"]
    assert agenda.take(30) == []


def test_putting_again_moves_a_job():
    agenda = Agenda()
    agenda.put("a", 10)
    agenda.put("a", 50)
    assert agenda.take(49) == []
    assert agenda.take(50) == ["a"]


def test_hastening_never_delays():
    agenda = Agenda()
    agenda.hasten("a", 10)
    agenda.hasten("a", 50)
    agenda.put("b", 50)
    agenda.hasten("b", 10)
    assert agenda.take(10) == ["a", "b"]


def test_a_job_is_delayed_where_it_is_in_and_due_before():
    agenda = Agenda()
    agenda.put("a", 5.0)
    agenda.put("b", 20.0)
    for job in ("a", "b", "c"):
        agenda.delay(job, 10.0)
    assert agenda.take(9.0) == []
    assert agenda.take(10.0) == ["a"]
    assert agenda.take(100.0) == ["b"]
