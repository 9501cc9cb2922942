"""Named jobs on the monotonic clock."""

from sense_mqtt.core.job_queue import JobQueue


def test_jobs_are_taken_once_when_due_and_oldest_first():
    job_queue = JobQueue()
    job_queue.put("late", 30)
    job_queue.put("early", 10)
    job_queue.put("later", 31)
    assert job_queue.take(9.9) == []
    assert job_queue.take(30) == ["early", "late"]
    assert job_queue.take(30) == []


def test_putting_again_moves_a_job():
    job_queue = JobQueue()
    job_queue.put("a", 10)
    job_queue.put("a", 50)
    assert job_queue.take(49) == []
    assert job_queue.take(50) == ["a"]


def test_hastening_never_delays():
    job_queue = JobQueue()
    job_queue.advance("a", 10)
    job_queue.advance("a", 50)
    job_queue.put("b", 50)
    job_queue.advance("b", 10)
    assert job_queue.take(10) == ["a", "b"]
