"""The fallback of a feed from one transport to the next, without any feed."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from sense_mqtt.core.backoff import Backoff
from sense_mqtt.sense.feed.fallback import (
    Fallback,
    FallbackRules,
    Locked,
    NetworkFailure,
    Outcome,
    Rejected,
    Success,
    Unsupported,
    attempt_finished,
    attempt_started,
    is_pollable,
    reset,
    retry_stream,
)

RULES = FallbackRules(
    poll_interval_s=60, spacing_s=1, backoff=Backoff(1, 300), cooldown_first_s=900, cooldown_max_s=14_400
)


def highest(_low: float, high: float) -> float:
    return high


def lowest(low: float, _high: float) -> float:
    return low


def after(*outcomes: Outcome, rules: FallbackRules = RULES, start: Fallback | None = None, at: float = 0.0) -> Fallback:
    fallback = start or Fallback()
    for outcome in outcomes:
        fallback = attempt_finished(fallback, outcome, rules, at, lowest)
    return fallback


NO = Rejected("HTTP 503")
GONE = NetworkFailure("no route to host")
FINE = Success("15 minutes")

TRANSPORTS = [
    ("it begins with the websocket", [], "stream"),
    ("two refusals are patience", [NO, NO], "stream"),
    ("three refusals in a row are a message", [NO, NO, NO], "poll"),
    ("a connection that held forgives", [NO, NO, FINE, NO, NO], "stream"),
    ("an outage is no refusal", [GONE] * 5, "stream"),
    ("a websocket that does not come may still be polled for", [GONE] * 6, "poll"),
    ("a long wait for the websocket is spent polling", [Rejected("429", 61)], "poll"),
    ("another process of ours is waited for", [Locked("another")] * 50, "stream"),
    ("refusals count through an outage", [NO, GONE, NO, GONE, NO], "poll"),
    ("firmware that cannot be polled", [NO, NO, NO, Unsupported("1.49")], "snapshot"),
    ("polling that fails stays polling", [NO, NO, NO, GONE, GONE], "poll"),
    ("a refused snapshot has nowhere to go", [NO, NO, NO, Unsupported("404"), NO, NO, NO, NO], "snapshot"),
]


@pytest.mark.parametrize(("outcomes", "transport"), [row[1:] for row in TRANSPORTS], ids=[row[0] for row in TRANSPORTS])
def test_the_transport_after(outcomes, transport):
    assert after(*outcomes).transport == transport


@pytest.mark.parametrize("mode", ["stream", "poll", "snapshot"])
def test_a_forced_mode_never_leaves_its_transport(mode):
    rules = replace(RULES, mode=mode)
    fallback = after(NO, NO, NO, NO, Unsupported("404"), GONE, FINE, rules=rules, start=Fallback(transport=mode))
    assert fallback.transport == mode
    assert retry_stream(fallback, rules, 1e9).transport == mode


def test_the_cool_down_doubles_with_each_descent_up_to_hours():
    fallback, waits = Fallback(), []
    for _ in range(7):
        fallback = after(NO, NO, NO, start=fallback) if fallback.fallbacks == 0 else after(NO, start=fallback)
        waits.append(fallback.stream_retry_at)
        fallback = retry_stream(fallback, RULES, fallback.stream_retry_at)
    assert waits == [900, 1800, 3600, 7200, 14400, 14400, 14400]


def test_after_an_incident_bridges_come_back_one_by_one():
    assert attempt_finished(after(NO, NO), NO, RULES, 0.0, highest).stream_retry_at == 1125


def test_the_websocket_is_not_tried_before_the_cool_down_is_over():
    fallback = after(NO, NO, NO)
    assert retry_stream(fallback, RULES, 899).transport == "poll"
    assert retry_stream(fallback, RULES, 900).transport == "stream"


@pytest.mark.parametrize("outcome", [NO, GONE], ids=["refused", "lost"])
def test_a_websocket_on_trial_gets_one_chance(outcome):
    on_trial = retry_stream(after(NO, NO, NO), RULES, 900)
    assert after(outcome, start=on_trial, at=900).transport == "poll"


def test_a_websocket_that_holds_after_a_trial_is_trusted_again():
    trusted = reset(retry_stream(after(NO, NO, NO), RULES, 900))
    assert after(NO, NO, start=trusted).transport == "stream"


WAITS = [
    ("after a good connection at once, with room for Sense to notice", Fallback(), FINE, 1),
    ("after the first failure within the first ceiling", Fallback(), GONE, 1),
    ("after the fifth within the fifth", Fallback(failures=4), GONE, 16),
    ("never longer than five minutes", Fallback(failures=40), Locked("another"), 300),
    ("after a refusal longer than an outage of seconds", Fallback(), NO, 10),
    ("as long as Sense asks", Fallback(), Rejected("429", 50), 50),
    ("an hour at most", Fallback(), NetworkFailure("429", 90_000), 3600),
    ("between polls", Fallback(transport="poll"), FINE, 60),
    ("a failed poll is not repeated sooner", Fallback(transport="poll"), GONE, 60),
    ("failing polls back off", Fallback(transport="poll", failures=8), GONE, 256),
    ("with the new transport at once", Fallback(rejections=2), NO, 1),
    ("polls need not wait as long as the websocket", Fallback(), Rejected("429", 900), 1),
    ("on to snapshots, after an interval", Fallback(transport="poll"), Unsupported("1.49"), 60),
    (
        "on to snapshots when Sense lets us",
        Fallback(transport="poll", retry_after_until=5900),
        Unsupported("1.49"),
        900,
    ),
    ("a snapshot that was refused, longer", Fallback(transport="snapshot", rejections=4), NO, 240),
    ("more and more seldom, up to hours", Fallback(transport="snapshot", rejections=40), NO, 14_400),
    ("between snapshots", Fallback(transport="snapshot"), FINE, 60),
]


@pytest.mark.parametrize(("fallback", "outcome", "wait_s"), [row[1:] for row in WAITS], ids=[row[0] for row in WAITS])
def test_the_wait(fallback, outcome, wait_s):
    assert attempt_finished(fallback, outcome, RULES, 5000, highest).next_at == 5000 + wait_s


@pytest.mark.parametrize(
    ("uniform", "waits"),
    [(lowest, [5, 10, 20, 40, 80, 150, 150]), (highest, [10, 20, 40, 80, 160, 300, 300])],
    ids=["lowest", "highest"],
)
def test_a_websocket_that_refuses_is_tried_after_waits_that_grow_whatever_is_drawn(uniform, waits):
    rules, fallback, now, drawn = replace(RULES, mode="stream"), Fallback(), 0.0, []
    for _ in waits:
        fallback = attempt_finished(fallback, NO, rules, now, uniform)
        drawn.append(fallback.next_at - now)
        now = fallback.next_at
    assert drawn == waits


def attempts(fallback: Fallback, outcome: Outcome, until: float) -> list[tuple[str, float]]:
    """Return the transport and time of each attempt that ends so."""
    now, made = 0.0, []
    while now < until:
        fallback = retry_stream(fallback, RULES, now)
        made.append((fallback.transport, now))
        fallback = attempt_finished(fallback, outcome, RULES, now, highest)
        now = fallback.next_at
    return made


def test_an_hour_of_outage_is_met_with_growing_gaps():
    streams = [at for transport, at in attempts(Fallback(), GONE, 3600.0) if transport == "stream"]
    gaps = [later - sooner for sooner, later in pairwise(streams)]
    assert gaps == sorted(gaps)
    assert len(streams) == 7  # six at the beginning, then one after each cool-down


def test_firmware_that_can_neither_stream_nor_be_polled_is_asked_rarely():
    fallback, now, made = Fallback(), 0.0, 0
    while now < 3600.0:
        fallback = retry_stream(fallback, RULES, now)
        made += fallback.transport != "poll"
        fallback = attempt_finished(
            fallback, Unsupported("1.49") if fallback.transport == "poll" else NO, RULES, now, highest
        )
        now = fallback.next_at
    assert made < 12


def test_polls_that_work_again_after_an_outage_bring_the_websocket_back():
    fallback = after(*[GONE] * 6, at=0.0)
    assert after(GONE, FINE, start=fallback, at=100.0).stream_retry_at == 900.0
    assert after(GONE, GONE, FINE, start=fallback, at=100.0).stream_retry_at == 100.0


def test_trying_sooner_after_an_outage_costs_no_further_doubling():
    fallback = after(NO, NO, NO, at=0.0)
    fallback = after(NO, start=retry_stream(fallback, RULES, 900.0), at=900.0)
    fallback = after(GONE, GONE, FINE, start=fallback, at=1000.0)
    fallback = after(NO, start=retry_stream(fallback, RULES, 1000.0), at=1000.0)
    assert (fallback.transport, fallback.stream_retry_at) == ("poll", 1000.0 + 1800.0)


def test_the_websocket_is_not_tried_before_sense_lets_us_whatever_happens():
    fallback = replace(after(Rejected("429", 3600), at=0.0), stream_retry_at=0.0)
    assert retry_stream(fallback, RULES, 3599.0).transport == "poll"
    assert retry_stream(fallback, RULES, 3600.0).transport == "stream"


def test_an_attempt_that_is_cut_short_is_remembered_and_takes_no_step_down():
    fallback = attempt_started(Fallback(failures=20, rejections=2), RULES, 0.0, highest)
    assert (fallback.transport, fallback.failures, fallback.next_at) == ("stream", 21, 300.0)


FIRMWARE = [
    ("1.64", True),
    ("1.64.3-0a1b2c3d-release", True),
    ("1.100", True),
    ("2.0", True),
    ("1.63.99", False),
    ("1.49.29-4a5ddd65-release", False),
    ("1.7", False),
    ("", False),
    ("unknown", False),
]


@pytest.mark.parametrize(("version", "pollable"), FIRMWARE)
def test_firmware_is_compared_as_numbers(version, pollable):
    assert is_pollable(version) is pollable


QUARTERS = [  # of an hour: what the websocket meets, and what a poll
    (Rejected("HTTP 503"), GONE),
    (Rejected("HTTP 429", 30), NetworkFailure("HTTP 429", 30)),
    (Rejected("HTTP 403"), FINE),
    (NetworkFailure("silent for 45 s"), FINE),
]


@pytest.mark.parametrize("uniform", [lowest, highest], ids=["lowest", "highest"])
def test_after_a_mixed_outage_frames_are_back_within_a_minute_and_the_websocket_within_one_step(uniform):
    rules = FallbackRules()
    fallback, now, step_ends, back = Fallback(), 0.0, 0.0, {}
    while "stream" not in back:
        fallback = retry_stream(fallback, rules, now)
        websocket, poll = QUARTERS[int(now // 900)] if now < 3600 else (FINE, FINE)
        if now < 3600:
            step_ends = fallback.stream_retry_at
        else:
            back.setdefault(fallback.transport, now)
        fallback = attempt_finished(
            fallback, websocket if fallback.transport == "stream" else poll, rules, now, uniform
        )
        now = fallback.next_at
    assert min(back.values()) <= 3600 + 60
    assert back["stream"] <= max(step_ends, 3600) + 60
