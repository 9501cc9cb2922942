"""Energy: both of Sense's answers in one shape; what is absent stays absent."""

import json

import pytest
from msgspec.structs import replace

from sense_mqtt.core.energy.periods import (
    DeviceConsumption,
    Energy,
    device_document,
    energy_response,
    from_trends,
    from_usage,
    house_document,
)
from tests.support.checkout import shared_file
from tests.support.core.energy import DRYER, START, SUNNY

UPDATED = "2026-11-21T19:00:00.000Z"

USAGE = {
    "start": "2026-11-21T05:00:00Z",
    "consumption": {"usage_total_kwh": 12, "usage_breakdown_kwh": [None]},
    "device_breakdown": [
        {"id": "1a2b3c4d", "name": "Dryer ", "icon": None, "consumption": {"usage_total_kwh": 2.5}},
        {"id": "unknown", "name": None, "consumption": {"usage_total_kwh": 0}},
    ],
}
SOLAR = {
    "total": {"from_grid_kwh": 4.5, "to_grid_kwh": 2.5, "production_kwh": 10.0, "net_kwh": -2.0, "solar_percentage": 62}
}
TRENDS = {
    "start": "2026-11-21T05:00:00.000Z",
    "consumption": {
        "total": 12.0,
        "devices": [
            {"id": "1a2b3c4d", "name": "Dryer", "total_kwh": 2.5, "history": [9.0]},
            {"id": "8cb442c4", "name": "Light", "history": [0.25, None, 0.5]},
        ],
    },
    "production": {"total": 10.0, "devices": [{"id": "solar", "history": [10.0]}]},
    "from_grid": 4.5,
    "to_grid": 2.5,
    "net_production": -2.0,
    "solar_powered": 62,
}


def test_usage_and_solar_become_one():
    assert replace(from_usage("DAY", USAGE, SOLAR), hours=None) == replace(
        SUNNY, devices=(DRYER, DeviceConsumption("unknown", "Other", 0.0))
    )


def test_usage_alone_has_no_figure_of_the_sun():
    assert house_document(from_usage("DAY", USAGE), UPDATED) == {
        "consumption_kwh": 12.0,
        "start": START,
        "updated": UPDATED,
    }


def test_trends_become_the_same_shape():
    assert from_trends("DAY", TRENDS) == replace(SUNNY, devices=(DRYER, DeviceConsumption("8cb442c4", "Light", 0.75)))


@pytest.mark.parametrize("told", ["Other", "Unknown", None])
def test_what_no_device_used_has_one_name_in_all_answers(told):
    trended = {"id": "unknown", "name": told, "total_kwh": 1.5}
    trends = {"consumption": {"devices": [trended]}}
    usage = {"device_breakdown": [{**trended, "consumption": {"usage_total_kwh": 1.5}}]}
    assert (
        from_trends("DAY", trends).devices
        == from_usage("DAY", usage).devices
        == (DeviceConsumption("unknown", "Other", 1.5),)
    )


@pytest.mark.parametrize(
    ("solar", "trends"),
    [(None, {**TRENDS, "production": {"total": 0}}), (False, TRENDS)],
    ids=["only a total of 0", "known to have none"],
)
def test_a_home_without_solar_has_no_production_in_trends(solar, trends):
    energy = from_trends("DAY", trends, solar=solar)
    assert (energy.consumption_kwh, energy.production_kwh, energy.from_grid_kwh) == (12.0, None, None)
    assert (energy.to_grid_kwh, energy.net_production_kwh, energy.solar_powered_pct) == (None, None, None)


def test_a_home_that_is_known_to_have_solar_may_have_made_nothing_yet():
    assert from_trends("DAY", {**TRENDS, "production": {"total": 0}}, solar=True).production_kwh == 0.0


def test_the_inverters_own_draw_at_night_is_no_production():
    assert from_usage("DAY", USAGE, {"total": {"production_kwh": -0.003}}).production_kwh == 0.0
    trends = {"production": {"total": -0.003, "devices": [{"id": "solar"}]}}
    assert from_trends("DAY", trends).production_kwh == 0.0


def test_no_counter_is_below_0():
    usage = {"consumption": {"usage_total_kwh": -0.02}}
    solar = {"total": {"production_kwh": -0.01, "from_grid_kwh": -0.03, "to_grid_kwh": -4, "net_kwh": -1}}
    joined = from_usage("DAY", {**usage, "device_breakdown": [{"id": "a", **usage}]}, solar)
    assert joined == Energy("DAY", None, 0.0, 0.0, 0.0, 0.0, -1.0, devices=(DeviceConsumption("a", "a", 0.0),))
    rows = [{"id": "a", "total_kwh": -0.01}, {"id": "b", "history": [-0.1, 0.05]}]
    used, sun = {"total": -0.02, "devices": rows}, {"total": -1}
    trends = {"consumption": used, "production": sun, "from_grid": -2, "to_grid": -3}
    devices = (DeviceConsumption("a", "a", 0.0), DeviceConsumption("b", "b", 0.0))
    assert from_trends("DAY", trends, solar=True) == Energy("DAY", None, 0.0, 0.0, 0.0, 0.0, devices=devices)


STRANGE = [
    None,
    [],
    "error",
    {},
    {"start": 5, "consumption": None, "device_breakdown": {}, "total": [], "production": 3},
    {"consumption": {"usage_total_kwh": "12", "total": True}, "total": {"production_kwh": float("nan")}},
    {"consumption": {"usage_total_kwh": float("inf"), "total": 10**400, "devices": None}},
    {"device_breakdown": [None, {}, {"id": 5}, {"id": ""}, {"id": "a"}, {"id": "a", "consumption": 1}]},
    {"consumption": {"devices": [1, {"id": "a"}, {"id": "a", "history": [None]}, {"id": "a", "history": {}}]}},
]


@pytest.mark.parametrize("answer", STRANGE)
def test_what_is_missing_or_of_a_wrong_type_is_absent_and_never_0(answer):
    assert from_usage("DAY", answer, answer) == Energy("DAY", None)
    assert from_trends("DAY", answer) == from_trends("DAY", answer, solar=True) == Energy("DAY", None)


def test_a_device_that_is_listed_twice_counts_once():
    usage = {"device_breakdown": [{"id": "a", "consumption": {"usage_total_kwh": kwh}} for kwh in (1, 2)]}
    assert from_usage("DAY", usage).devices == (DeviceConsumption("a", "a", 1.0),)


def test_the_recorded_and_derived_answers_are_understood():
    usage, solar, trends = (
        json.loads(shared_file(f"samples/{name}").read_text())
        for name in (
            "derived_usage_history_new_day.json",
            "derived_usage_history_solar_new_day.json",
            "gist_2017_trends_month.json",
        )
    )
    energy = from_usage("DAY", usage, solar)
    assert house_document(energy, UPDATED) == {
        "consumption_kwh": 6.9,
        "production_kwh": 9.0,
        "from_grid_kwh": 3.1,
        "to_grid_kwh": 5.2,
        "net_production_kwh": 2.1,
        "solar_powered_pct": 55,
        "net_production_pct": 130,
        "start": "2026-03-08T08:00:00.000Z",
        "updated": UPDATED,
    }
    assert [device.id for device in energy.devices] == ["always_on", "unknown"]
    old = house_document(from_trends("MONTH", trends), UPDATED)
    assert old == {"consumption_kwh": 51.398, "start": "2017-02-01T05:00:00.000Z", "updated": UPDATED}


# --- documents


def test_a_document_is_rounded_and_has_no_negative_zero():
    energy = Energy("DAY", START, 1.23456, 0.0, net_production_kwh=-0.0001, solar_powered_pct=62.5)
    text = json.dumps(house_document(energy, UPDATED))
    assert text == (
        '{"consumption_kwh": 1.235, "production_kwh": 0.0, "net_production_kwh": 0.0, "solar_powered_pct": 62, '
        '"net_production_pct": 0, '
        '"start": "2026-11-21T05:00:00.000Z", "updated": "2026-11-21T19:00:00.000Z"}'
    )


def test_a_device_has_a_document_of_its_own():
    assert device_document(DRYER, SUNNY, UPDATED) == {"consumption_kwh": 2.5, "start": START, "updated": UPDATED}


def test_a_period_whose_start_is_unknown_has_none():
    assert house_document(Energy("DAY", None, 1.0), UPDATED) == {"consumption_kwh": 1.0, "updated": UPDATED}


def test_the_command_answers_in_one_shape():
    assert energy_response(replace(SUNNY, devices=(DRYER,))) == {
        "scale": "DAY",
        "start": START,
        "consumption_kwh": 12.0,
        "production_kwh": 10.0,
        "from_grid_kwh": 4.5,
        "to_grid_kwh": 2.5,
        "net_production_kwh": -2.0,
        "solar_powered_pct": 62,
        "net_production_pct": 83,
        "devices": [{"id": "1a2b3c4d", "name": "Dryer", "consumption_kwh": 2.5}],
    }
