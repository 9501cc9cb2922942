"""The simulated houses: what switches, when, and that it is the same every time."""

from itertools import pairwise

import pytest

from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse, RandomHouse
from sense_mqtt.simulator.house.model import PowerStep, SwitchSchedule, TrueTransition

DAY_S = 86_400
DENSE = {"devices": 40, "seed": 5, "on_s": 20.0, "off_s": 20.0}


@pytest.mark.parametrize(
    "make", [lambda: BuiltInHouse(3), lambda: RandomHouse(20, 3, plugs=4)], ids=["built-in", "random"]
)
class TestAnyHouse:
    def test_is_the_same_for_the_same_seed(self, make):
        one, other = make(), make()
        assert one.transitions(BEGINS, BEGINS + DAY_S / 2) == other.transitions(BEGINS, BEGINS + DAY_S / 2)
        assert one.power_at(BEGINS + 40_000.5) == other.power_at(BEGINS + 40_000.5)

    def test_is_the_same_in_whatever_order_it_is_asked(self, make):
        forwards, backwards = make(), make()
        later = backwards.power_at(BEGINS + 3 * DAY_S)
        assert forwards.power_at(BEGINS + 100) == backwards.power_at(BEGINS + 100)
        assert forwards.power_at(BEGINS + 3 * DAY_S) == later

    def test_no_run_or_pause_is_shorter_than_five_seconds(self, make):
        house = make()
        found = house.transitions(house.since, BEGINS + DAY_S)
        for device in house.devices:
            times = [transition.at for transition in found if transition.device == device.id]
            assert all(later - earlier >= 5.0 for earlier, later in pairwise(times))

    def test_a_device_is_listed_exactly_while_its_transitions_say_so(self, make):
        house = make()
        listed: set[str] = {listed_device.device.id for listed_device in house.power_at(BEGINS).devices}
        idle: set[str] = {
            listed_device.device.id for listed_device in house.power_at(BEGINS).devices if listed_device.idle
        }
        for transition in house.transitions(BEGINS, BEGINS + DAY_S / 4):
            listed = listed - {transition.device} if transition.kind == "turned_off" else listed | {transition.device}
            idle = idle | {transition.device} if transition.kind == "idle" else idle - {transition.device}
            power = house.power_at(transition.at)
            assert {listed_device.device.id for listed_device in power.devices} == listed
            assert {listed_device.device.id for listed_device in power.devices if listed_device.idle} == idle

    def test_transitions_of_adjoining_spans_are_reported_once(self, make):
        house = make()
        first = house.transitions(BEGINS, BEGINS + 20_000)
        middle = first[len(first) // 2].at
        assert house.transitions(BEGINS, middle) + house.transitions(middle, BEGINS + 20_000) == first


def test_the_built_in_home_is_believable():
    house = BuiltInHouse(1)
    day = house.transitions(BEGINS, BEGINS + DAY_S)
    assert 400 < len(day) < 1500
    assert {transition.kind for transition in day} == {"turned_on", "turned_off", "idle"}
    assert {transition.device for transition in day} == {device.id for device in house.devices}
    names = [device.name for device in house.devices]
    assert any(name.endswith(" ") for name in names)
    assert any("\N{RIGHT SINGLE QUOTATION MARK}" in name for name in names)


def test_the_sun_shines_at_noon_and_draws_a_little_at_night():
    house = BuiltInHouse(1)
    assert house.power_at(BEGINS + 12 * 3600).solar_w > 1000
    assert -5 < house.power_at(BEGINS + 2 * 3600).solar_w < 0


def test_another_seed_is_another_house():
    assert BuiltInHouse(1).transitions(BEGINS, BEGINS + DAY_S) != BuiltInHouse(2).transitions(BEGINS, BEGINS + DAY_S)


def test_a_random_house_gives_twenty_thousand_transitions_within_hours():
    house = RandomHouse(**DENSE)
    assert len(house.transitions(BEGINS, BEGINS + 3 * 3600)) > 20_000


def test_a_random_house_begins_with_all_off():
    assert RandomHouse(**DENSE).power_at(BEGINS).devices == ()


def test_a_script_knows_what_came_before_and_after():
    steps = [
        PowerStep(10, "a", "on", 5.0),
        PowerStep(12, "b", "on"),
        PowerStep(20, "a", "off"),
        PowerStep(20, "a", "off"),
    ]
    script = SwitchSchedule(0, 100, lambda start, _end: steps if start == 0 else [])
    on, off = TrueTransition("a", "turned_on", 10), TrueTransition("a", "turned_off", 20)
    assert script.transitions(0, 50) == [on, TrueTransition("b", "turned_on", 12), off]
    assert (script.before(off), script.before(on)) == (on, None)
    assert (script.after(on, 50), script.after(on, 15), script.after(off, 50)) == (off, None, None)
    assert (script.step("a", 9), script.step("a", 10).w, script.step("nobody", 10)) == (None, 5.0, None)
