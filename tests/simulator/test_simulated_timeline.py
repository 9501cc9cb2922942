"""The simulated timeline: what it shows when, and that it agrees with the house."""

from datetime import datetime

import pytest

from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse, RandomHouse
from sense_mqtt.simulator.payloads.timeline import FalseRun, Timeline, TimelineSettings, iso, merge_pages

KIND_OF = {"DeviceOn": "turned_on", "DeviceOff": "turned_off", "DeviceIdle": "idle"}
HOUR_S = 3600


def timeline(house=None, **rules):
    return Timeline(house or RandomHouse(6, 2, plugs=2), 900_101, 900_201, TimelineSettings(**rules))


def seconds(text):
    return datetime.fromisoformat(text).timestamp()


def edges(items):
    """Return what the items tell: (device, kind, time), a DeviceWasOn by its children."""
    parts = [part for item in items for part in item.get("children", [item])]
    return sorted((seconds(part["time"]), part["device_id"], KIND_OF[part["type"]]) for part in parts)


def true_edges(house, since, until):
    return [(pytest.approx(item.at, abs=0.001), item.device, item.kind) for item in house.transitions(since, until)]


def every_page(line, now, n_items, device=None):
    found, prior_to = [], None
    while True:
        page = line.page(now, n_items, device, prior_to)
        found += page["items"]
        if not page["more_items"]:
            return found
        prior_to = seconds(page["items"][-1]["time"])


@pytest.mark.parametrize("n_items", [1, 7, 30, 10_000])
def test_its_pages_together_tell_every_transition_once(n_items):
    line = timeline()
    now = BEGINS + HOUR_S
    found = every_page(line, now, n_items)
    assert edges(found) == true_edges(line.house, BEGINS - 1, now - 2.0)
    assert len({item["guid"] for item in found}) == len(found)


def test_the_built_in_home_is_reported_whole():
    house = BuiltInHouse(1)
    found = every_page(timeline(house), BEGINS + HOUR_S, 30)
    assert edges(found) == true_edges(house, house.since - 1, BEGINS + HOUR_S - 2.0)


def test_it_is_newest_first():
    times = [item["time"] for item in timeline().page(BEGINS + HOUR_S)["items"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == 30


def test_one_device_alone_can_be_asked_for():
    line = timeline()
    device = line.house.devices[0].id
    found = every_page(line, BEGINS + HOUR_S, 5, device)
    assert {item["device_id"] for item in found} == {device}
    expected = [edge for edge in true_edges(line.house, BEGINS, BEGINS + HOUR_S - 2) if edge[1] == device]
    assert edges(found) == expected


def test_a_run_is_rewritten_some_time_after_its_end():
    line = timeline(delay_s=2.0, rewrite_after_s=30.0)
    start = line.house.transitions(BEGINS, BEGINS + HOUR_S)[0]
    end = line.house.switch_schedule.after(start, BEGINS + HOUR_S)

    def stands_at(now):
        found = line.page(now, 1000, start.device)["items"]
        return [item["type"] for item in found if start.at <= seconds(item["time"]) + 0.001 <= end.at + 0.002]

    assert stands_at(start.at + 1.9) == []
    assert stands_at(start.at + 2.0) == ["DeviceOn"]
    assert [KIND_OF[kind] for kind in stands_at(end.at + 2.1)] == [end.kind, "turned_on"]
    assert stands_at(end.at + 32.1)[0] == "DeviceWasOn"


def test_a_rewritten_run_keeps_the_guid_of_its_start():
    line = timeline()
    start = line.house.transitions(BEGINS, BEGINS + HOUR_S)[0]
    before = line.page(start.at + 2.0, 1)["items"][0]
    ended = line.page(BEGINS + HOUR_S, 10_000, start.device)["items"][-1]
    assert ended["type"] == "DeviceWasOn"
    assert ended["guid"] == before["guid"] == ended["children"][1]["guid"]
    assert ended["start_time"] == before["time"]


def test_its_clock_may_be_off():
    right, wrong = timeline(), timeline(offset_s=3.5)
    now = BEGINS + HOUR_S
    ahead = [time - 3.5 for time, _, _ in edges(every_page(wrong, now, 20))]
    assert ahead == pytest.approx([time for time, _, _ in edges(every_page(right, now, 20))], abs=0.002)


def test_what_is_pushed_amounts_to_what_is_asked_for():
    line = timeline()
    known = {}
    for half in range(2 * HOUR_S):
        news = line.pushed_changes(BEGINS + half / 2, BEGINS + half / 2 + 0.5)
        if news is not None:
            known |= {item["guid"]: item for item in news["items_added"]}
            known |= {item["guid"]: item for item in news["items_updated"]}
            for item in news["items_removed"]:
                del known[item["guid"]]
    assert edges(known.values()) == edges(every_page(line, BEGINS + HOUR_S, 1000))
    assert {item["guid"] for item in known.values()} == {
        item["guid"] for item in every_page(line, BEGINS + HOUR_S, 1000)
    }


def test_nothing_new_is_no_news():
    assert timeline().pushed_changes(BEGINS, BEGINS + 0.5) is None


def test_items_of_one_time_are_never_torn_apart():
    same = [{"time": iso(BEGINS), "guid": str(number)} for number in range(5)]
    page = {"items": same, "more_items": False, "sticky_items": [], "user_id": 1}
    assert len(merge_pages([page], 2)["items"]) == 5


def test_a_run_that_never_was_is_reported_and_taken_back():
    line, now = timeline(), BEGINS + 100
    device = line.house.devices[0].id
    line.false_runs.append(FalseRun(device, now - 5, now - 3, now, now + 1))
    kinds = [(now - 5, device, "turned_on"), (now - 3, device, "turned_off")]
    told, taken_back = line.pushed_changes(now - 0.001, now), line.pushed_changes(now + 0.999, now + 1)
    assert [edge for edge in edges(told["items_added"]) if edge in kinds] == kinds
    assert [edge for edge in edges(taken_back["items_removed"]) if edge in kinds] == kinds
    assert set(kinds) < set(edges(every_page(line, now + 0.5, 20)))
    assert not set(kinds) & set(edges(every_page(line, now + 1, 20)))
