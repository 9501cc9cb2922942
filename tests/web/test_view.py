"""What the page and the metrics make of what is known: problems with what to do, accounts, energy."""

from typing import Any

import msgspec
import pytest

from sense_mqtt.core.home.state import Published
from sense_mqtt.web.state import BridgeNow
from sense_mqtt.web.view import accounts_to_log_in, describe_home, problems
from tests.support.core.builders import DRYER, listed
from tests.support.web.page_harness import ServedPage, WatchedHouse

WELL = {"auth": "ok", "feeds": {"7": "stream"}, "errors": 0}
TROUBLES = [
    pytest.param({}, True, [], id="none"),
    pytest.param({}, False, ["The MQTT broker cannot be reached"], id="the broker"),
    pytest.param({"auth": "auth_required"}, True, ["Sense wants a person to log in"], id="the login"),
    pytest.param({"auth": "unavailable"}, True, ["Sense cannot be reached"], id="an outage of Sense"),
    pytest.param({"feeds": {"7": "offline"}}, True, ["No frames come from monitor 7"], id="a silent monitor"),
    pytest.param({"feeds": {"7": "paused"}}, True, ["The feed of monitor 7 is paused"], id="a pause"),
    pytest.param(
        {"feeds": {"7": "poll", "8": "stream"}}, True, ["Sense refuses the live feed of monitor 7"], id="polls"
    ),
    pytest.param({"errors": 2}, True, ["2 items could not be dealt with"], id="faults of ours"),
]


@pytest.mark.parametrize(("health", "is_connected", "said"), TROUBLES)
def test_what_is_wrong_is_said_with_what_to_do(health: dict[str, Any], is_connected: bool, said: list[str]):
    found = problems(BridgeNow({**WELL, **health}, is_connected=is_connected))
    assert [text[: len(begin)] for text, begin in zip(found, said, strict=True)] == said


def test_of_several_accounts_those_are_named_that_need_a_person():
    accounts = {"home": {"auth": "ok"}, "cabin": {"auth": "auth_required"}}
    assert accounts_to_log_in(BridgeNow({"auth": "auth_required", "accounts": accounts}, is_connected=True)) == [
        "cabin"
    ]
    assert accounts_to_log_in(BridgeNow({"auth": "auth_required"}, is_connected=True)) == [""]
    assert accounts_to_log_in(BridgeNow({}, is_connected=True)) == []


def with_readings(house: WatchedHouse, readings: dict[tuple[str | None, str], Any]) -> None:
    """Let these readings have been published."""
    monitor = house.monitors[7]
    published = {**monitor.home.published, **{key: Published(value, 0.0) for key, value in readings.items()}}
    monitor.home = msgspec.structs.replace(monitor.home, published=published)
    house.state.publish(monitor.home, [])
    house.state._take_homes()


@pytest.fixture
def metered(house: WatchedHouse) -> WatchedHouse:
    house.see(listed(DRYER), 0)
    house.show(DRYER, at=1)
    total = {"consumption_kwh": 12.5, "from_grid_kwh": 3.25, "since": "2026-11-01T00:00:00.000Z"}
    day = {"consumption_kwh": 4.0, "production_kwh": None}
    readings = {
        (None, "energy/total"): total,
        (None, "energy/day"): day,
        (None, "sky"): "partly",
        (None, "surplus"): True,
    }
    with_readings(
        house, {**readings, ("1a2b3c4d", "energy/total"): {"consumption_kwh": 2.0}, ("1a2b3c4d", "running"): True}
    )
    return house


def test_energy_sky_and_cycles_are_on_the_page_as_published(metered: WatchedHouse):
    document = describe_home(7, metered.state.homes[7])
    dryer = next(device for device in document["devices"] if device["id"] == "1a2b3c4d")
    assert (document["sky"], document["surplus"], document["energy/day"]["consumption_kwh"]) == ("partly", True, 4.0)
    assert dryer["running"] is True


def test_energy_sky_and_cycles_are_among_the_metrics_and_what_is_not_known_is_not(metered: WatchedHouse):
    with ServedPage(metered) as page:
        lines = page.ask("/metrics").text.splitlines()
    expected = [
        'sense_energy_kwh_total{flow="consumption",monitor="7"} 12.5',
        'sense_energy_kwh_total{flow="from_grid",monitor="7"} 3.25',
        'sense_device_energy_kwh_total{device="1a2b3c4d",monitor="7",name="Dryer"} 2.0',
        'sense_period_energy_kwh{flow="consumption",monitor="7",period="day"} 4.0',
        'sense_sky{monitor="7",sense_sky="partly"} 1.0',
        'sense_surplus{monitor="7"} 1.0',
        'sense_device_running{device="1a2b3c4d",monitor="7",name="Dryer"} 1.0',
    ]
    assert [line for line in expected if line not in lines] == []
    assert not [line for line in lines if "production" in line and "period" in line and not line.startswith("#")]
