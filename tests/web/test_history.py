"""The last 24 hours: bounded, stored once an hour, and gone on with after a restart."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.core.changes import Event
from sense_mqtt.core.timestamps import to_datetime, write_timestamp
from sense_mqtt.errors import JournalError
from sense_mqtt.store.hours import HOURS_MOST, StoredHours
from sense_mqtt.store.journal import Journal
from sense_mqtt.web.history import EVENTS_MOST, MINUTES_MOST, History, NumberedEvent
from sense_mqtt.web.view import describe_events, describe_history
from tests.support.core.builders import KETTLE, START, listed
from tests.support.web.page_harness import RememberedHours, WatchedHouse

HOUR = int(START // 3600)
TO_FULL_HOUR = (HOUR + 1) * 3600 - START


def event(at: float, number: int = 1) -> NumberedEvent:
    return NumberedEvent(number, at, {"event_type": "turned_on", "time": "2026-11-21T19:00:00.000Z"})


def test_no_more_than_a_day_of_minutes_is_kept():
    history = History()
    for minute in range(MINUTES_MOST + 100):
        history.add_sample(START + 60 * minute, 100.0, None)
    history.end_minute()
    assert len(history.minutes) == MINUTES_MOST
    assert len(describe_history(history)["power"]) == MINUTES_MOST


def test_a_frame_that_is_seen_twice_counts_once():
    history = History()
    for time, watts in ((0, 100.0), (0, 100.0), (0, 100.0), (1, 400.0)):
        history.add_sample(START + 20 + time, watts, None)
    history.end_minute()
    assert [minute.power_w for minute in history.minutes] == [250.0]


def test_minutes_that_a_wrong_clock_told_go_once_it_is_right():
    history = History()
    for at in (0.0, 7_200.0, 60.0, 120.0):
        history.add_sample(START + at, 100.0, None)
    history.end_minute()
    assert [minute.number - int(START // 60) for minute in history.minutes] == [0, 1, 2]


def test_events_of_a_day_before_go_and_never_more_than_a_thousand_are_kept():
    history = History()
    history.add_event(event(START))
    history.add_event(event(START + 90_000.0))
    assert len(history.events) == 1
    for number in range(EVENTS_MOST + 5):
        history.add_event(event(START + 90_000.0, number))
    assert len(history.events) == EVENTS_MOST


def test_an_hour_is_stored_once_and_only_when_it_is_over():
    hours = CountingHours()
    house = WatchedHouse(hours=hours)
    for second in range(0, int(TO_FULL_HOUR) + 3_700, 30):
        house.show(at=second)
    assert hours.writes == 2
    assert sorted(hours.kept[7]) == [HOUR, HOUR + 1]
    assert len(hours.kept[7][HOUR + 1]["minutes"]) == 60


class CountingHours(RememberedHours):
    """Counts how often something is written."""

    writes = 0

    def keep(self, monitor: int, documents: Mapping[int, Mapping[str, Any]]) -> None:
        self.writes += 1
        super().keep(monitor, documents)


def test_the_page_goes_on_after_a_restart_where_it_was(tmp_path: Path):
    journal = Journal(tmp_path / "journal.sqlite3")
    first = WatchedHouse(hours=StoredHours(journal))
    first.see(listed(KETTLE), 0)
    for second in range(0, 300, 30):
        first.show(*([KETTLE] if second == 60 else []), at=second)
    first.state.end()
    journal.close()
    second = WatchedHouse(hours=StoredHours(Journal(tmp_path / "journal.sqlite3")))
    second.show(at=400)
    before, after = first.state.histories[7], second.state.histories[7]
    assert after.minutes == before.minutes
    assert [each.document["event_type"] for each in after.events[:2]] == ["turned_on", "turned_off"]
    assert [each.document for each in after.events] == [each.document for each in before.events]


def test_the_journal_keeps_a_day_of_each_monitor(tmp_path: Path):
    hours = StoredHours(Journal(tmp_path / "journal.sqlite3"))
    hours.keep(8, {1: {"minutes": []}})
    for hour in range(40):
        hours.keep(7, {hour: {"minutes": []}})
    assert list(hours.of(7)) == list(range(40 - HOURS_MOST, 40))
    assert list(hours.of(8)) == [1]
    hours.keep(7, {20: {}})  # the clock was wrong
    assert list(hours.of(7)) == list(range(40 - HOURS_MOST, 21))


def test_an_event_that_tells_a_time_is_stored_and_pushed_as_it_is_on_mqtt():
    house = WatchedHouse()
    told = Event("1a2b3c4d", "cycle_finished", START, {"name": "Washer", "started": to_datetime(START - 60)})
    house.state.publish(house.monitors[7].home, [told])
    house.state.end()
    [stored] = house.hours.of(7)[HOUR]["events"]
    assert stored["started"] == write_timestamp(START - 60)
    assert describe_events(house.state.histories[7].events) == [stored]


DAMAGED = [
    {"minutes": 7, "events": None},
    {"minutes": [None, [1], ["a", 1, 2], [1, None, None], [1e15, 1, None, 4]], "events": [7, {}, {"time": "soon"}]},
]


@pytest.mark.parametrize("document", DAMAGED)
def test_what_cannot_be_read_of_a_stored_hour_is_left_out(document: dict[str, Any]):
    history = History([document, {"minutes": [[29916700, 5.0, 1.0]], "events": [event(START).document]}])
    assert (len(history.minutes), len(history.events)) == (1, 1)


def test_a_minute_of_a_far_future_makes_no_long_answer():
    history = History([{"minutes": [[5, 1.0, None], [1e14, 2.0, None]]}])
    assert len(json.dumps(describe_history(history))) < 100


def test_a_journal_that_fails_costs_the_page_its_past_and_nothing_else():
    house = WatchedHouse(hours=FailingHours())
    for second in range(0, int(TO_FULL_HOUR) + 200, 30):
        house.show(at=second)
    house.state.end()
    assert len(house.state.histories[7].minutes) > 1


class FailingHours:
    """A disk that is gone."""

    def keep(self, monitor: int, documents: Mapping[int, Mapping[str, Any]]) -> None:
        raise JournalError(f"{monitor}: {len(documents)} hours")

    def of(self, monitor: int) -> Mapping[int, Mapping[str, Any]]:
        raise JournalError(f"{monitor}")
