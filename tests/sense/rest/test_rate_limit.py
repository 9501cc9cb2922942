"""The turnstile: one call in flight, at most one a second."""

import threading

import pytest

from sense_mqtt.errors import RateLimited, SenseUnavailable
from sense_mqtt.sense.rest.rate_limit import RateLimiter
from sense_mqtt.sense.state_file import StateFile


class Waiting(threading.Event):
    """A closing event whose waiting moves the clock."""

    def __init__(self, clock):
        super().__init__()
        self._clock = clock

    def wait(self, timeout=None):
        self._clock.advance(timeout)
        return False


def test_calls_are_spaced(clock):
    limiter, times = RateLimiter(clock, Waiting(clock), 1.0), []
    for _ in range(4):
        with limiter.slot():
            times.append(clock.now().monotonic - 1_000)
        clock.advance(0.25)
    assert times == [0, 1, 2, 3]


def test_who_comes_late_does_not_wait(clock):
    limiter = RateLimiter(clock, Waiting(clock), 1.0)
    with limiter.slot():
        pass
    clock.advance(5)
    with limiter.slot():
        assert clock.now().monotonic == 1_005


def test_one_call_is_in_flight_whoever_asks(clock):
    limiter, inside, most = RateLimiter(clock, threading.Event(), 0.0), [], []

    def ask():
        for _ in range(50):
            with limiter.slot():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(most) == 400
    assert max(most) == 1
    assert limiter.calls_last_hour == 400


def test_a_call_that_fails_lets_the_next_one_pass(clock):
    limiter = RateLimiter(clock, Waiting(clock), 0.0)
    with pytest.raises(KeyError), limiter.slot():
        raise KeyError
    with limiter.slot():
        pass


def test_hush_lasts_as_long_as_was_asked(clock):
    limiter = RateLimiter(clock, Waiting(clock), 0.0)
    limiter.back_off(10)
    clock.advance(9)
    with pytest.raises(RateLimited, match="1 s are left"), limiter.slot():
        pass
    clock.advance(1)
    with limiter.slot():
        pass
    assert limiter.calls_last_hour == 1


def test_whoever_is_closing_asks_nothing(clock):
    closing = threading.Event()
    limiter = RateLimiter(clock, closing, 1.0)
    closing.set()
    with pytest.raises(SenseUnavailable, match="shutting down"), limiter.slot():
        pass
    assert limiter.calls_last_hour == 0


@pytest.mark.parametrize(("after_s", "is_quiet"), [(100, True), (599, True), (601, False), (-7200, False)])
def test_what_sense_asked_for_outlives_the_process(clock, tmp_path, after_s, is_quiet):
    file = StateFile(tmp_path / "manners.json")
    RateLimiter(clock, threading.Event(), 0.0, file).back_off(600)
    clock.set_wall(clock.wall() + after_s)
    assert (RateLimiter(clock, threading.Event(), 0.0, file).blocked_s > 0) is is_quiet


@pytest.mark.parametrize("content", ["", "[]", '{"quiet_until": "x"}', '{"quiet_until": 1e300}'])
def test_what_cannot_be_read_of_it_asks_for_nothing(clock, tmp_path, content):
    (tmp_path / "manners.json").write_text(content)
    assert RateLimiter(clock, threading.Event(), 0.0, StateFile(tmp_path / "manners.json")).blocked_s == 0
