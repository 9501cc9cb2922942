"""Threads that are shared: each key has its turn, and no more than one at a time."""

import threading

from sense_mqtt.sense.workers import Workers

PATIENCE_S = 20.0


def test_tasks_of_one_key_run_in_their_order_and_one_at_a_time():
    workers, done, ended, under_way = Workers(4), [], threading.Event(), threading.Lock()

    def task(number):
        assert under_way.acquire(blocking=False)
        done.append(number)
        under_way.release()
        if number == 199:
            ended.set()

    for number in range(200):
        workers.submit("key", lambda number=number: task(number))
    assert ended.wait(PATIENCE_S)
    assert done == list(range(200))


def test_a_key_that_hangs_takes_one_thread_and_delays_no_other():
    workers, may_end, others = Workers(2), threading.Event(), threading.Semaphore(0)
    for _ in range(50):
        workers.submit("hangs", may_end.wait)
    for number in range(20):
        workers.submit(number, others.release)
    for _ in range(20):
        assert others.acquire(timeout=PATIENCE_S)
    may_end.set()


def test_keys_take_turns():
    workers, order, began, may_go_on, ended = Workers(1), [], threading.Event(), threading.Event(), threading.Event()
    workers.submit("first", lambda: (began.set(), may_go_on.wait(PATIENCE_S)))
    assert began.wait(PATIENCE_S)
    for number in range(3):
        workers.submit("a", lambda number=number: order.append(("a", number)))
    for number in range(3):
        workers.submit("b", lambda number=number: order.append(("b", number)))
    workers.submit("last", lambda: None)
    workers.submit("b", ended.set)
    may_go_on.set()
    assert ended.wait(PATIENCE_S)
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_no_more_threads_are_made_than_allowed():
    workers, may_end, before = Workers(3), threading.Event(), threading.active_count()
    for number in range(30):
        workers.submit(number, may_end.wait)
    assert threading.active_count() <= before + 3
    may_end.set()
