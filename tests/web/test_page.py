"""The page over HTTP: what is answered to each address."""

import math

import pytest

from sense_mqtt.core.home.state import DevicesListed
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.web.state import BridgeNow
from tests.support.core.builders import DRYER, KETTLE, SOLAR, START, listed, moment
from tests.support.web.page_harness import EventReader, ServedPage, WatchedHouse

SUNNY = {"solar_w": 1200.0, "voltage": [121.0, 120.5], "hz": 60.01, "channels": [100.0, 200.0]}
PAGE_BYTES_MOST = 100_000


def begin(house: WatchedHouse) -> None:
    house.see(listed(DRYER, KETTLE, SOLAR), 0)
    house.show(at=0, **SUNNY)
    house.show(at=1, **SUNNY)


def test_the_stream_tells_the_house_and_its_devices_as_they_are(house: WatchedHouse, page: ServedPage):
    begin(house)
    house.show(DRYER, at=3, w=6000.0, **SUNNY)
    with EventReader(page) as reader:
        bridge, now = reader.next("bridge"), reader.next("now")
    assert (bridge["version"], bridge["broker_connected"]) == ("1.2.3", True)
    assert bridge["monitors"] == [{"id": 7, "name": "Sense"}]
    figures = ("power", "solar_power", "grid_power", "surplus_power", "leg_2_voltage", "frequency", "time_zone")
    assert [now[key] for key in figures] == [6000.0, 1200.0, 4800.0, 0.0, 120.5, 60.01, "America/New_York"]
    dryer = next(device for device in now["devices"] if device["id"] == DRYER["id"])
    assert (dryer["name"], dryer["on"], dryer["power_w"], dryer["kind"]) == ("Dryer", True, 5584.7, "detected")
    assert "solar" not in [device["id"] for device in now["devices"]]


def test_an_event_is_pushed_as_it_happens_with_the_state_that_it_leads_to(house: WatchedHouse, page: ServedPage):
    begin(house)
    with EventReader(page) as reader:
        assert reader.next("events") == []
        house.show(KETTLE, at=3)
        now = reader.next("now")
        [event] = reader.next("event")
    assert [device["on"] for device in now["devices"] if device["id"] == KETTLE["id"]] == [True]
    assert (event["event_type"], event["name"], event["monitor"]) == ("turned_on", "Kettle", 7)


def test_who_comes_later_gets_the_events_of_before(house: WatchedHouse, page: ServedPage):
    begin(house)
    house.show(KETTLE, at=3)
    house.show(at=60)
    with EventReader(page) as reader:
        told = [event["event_type"] for event in reader.next("events")]
    assert told == ["turned_on", "turned_off"]


def test_the_history_holds_the_mean_of_each_minute_and_none_where_nothing_was_seen(house: WatchedHouse, page):
    for second, watts in ((20, 100.0), (50, 300.0), (80, 500.0), (260, 700.0), (320, 0.0)):  # START is at second 40
        house.show(at=second, w=watts, solar_w=10.0)
    history = page.ask("/api/history").json
    assert history["power"] == [200.0, 500.0, None, None, 700.0]
    assert history["solar"] == [10.0, 10.0, None, None, 10.0]
    assert history["start"] == (START + 20) / 60


def test_another_home_can_be_chosen(house: WatchedHouse, page: ServedPage):
    begin(house)
    other = WatchedHouse(8)
    house.monitors[8] = other.monitors[8]
    house.state.tick(moment(9))
    with EventReader(page, "?monitor=8") as reader:
        assert reader.next("now")["monitor"] == 8


@pytest.mark.parametrize("wanted", ["9", "x", "", "9" * 5000, "-1", "%D9%A3"])
def test_where_there_is_no_such_home_the_first_is_shown(house: WatchedHouse, page: ServedPage, wanted: str):
    begin(house)
    with EventReader(page, f"?monitor={wanted}") as reader:
        assert reader.next("now")["monitor"] == 7


def test_all_that_a_browser_loads_is_small_and_of_this_server_alone(page: ServedPage):
    names = ["index.html", "page.css", "start.js", "page.js", "plot.js", "bubbles.js", "icon.svg"]
    files = [page.ask("/" if name == "index.html" else f"/static/{name}") for name in names]
    assert [file.status for file in files] == [200] * len(names)
    assert sum(len(file.text) for file in files) < PAGE_BYTES_MOST
    for file in files:
        assert "http" not in file.text.replace("http://www.w3.org/2000/svg", "")


def test_health_says_yes_while_frames_come_and_no_once_the_broker_is_away(page: ServedPage, house: WatchedHouse):
    health = {**house.health, "time": "9999-01-01T00:00:00.000Z"}
    house.state.bridge = BridgeNow(health, is_connected=True)
    well = page.ask("/health")
    house.state.bridge = BridgeNow(health, is_connected=False)
    ill = page.ask("/health")
    assert (well.status, well.json["verdict"]) == (200, "frames come, or are paused as asked: 7 stream")
    assert (ill.status, ill.json["healthy"]) == (503, False)


def test_health_says_no_once_the_loop_of_the_bridge_stands_still(page: ServedPage, house: WatchedHouse):
    house.state.bridge = BridgeNow({**house.health, "time": "2026-01-01T00:00:00.000Z"}, is_connected=True)
    response = page.ask("/health")
    assert response.status == 503
    assert "restart it" in response.json["verdict"]


def test_metrics_are_openmetrics_with_what_is_known(house: WatchedHouse, page: ServedPage):
    begin(house)
    house.see(DevicesListed(read_device_list([{"id": "x1", "name": 'A "b"\n\\c'}, DRYER])), 2)
    house.show(DRYER, {"id": "x1", "w": 20.0}, at=3, **SUNNY)
    response = page.ask("/metrics")
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    lines = response.text.splitlines()
    assert lines[-1] == "# EOF"
    expected = [
        'sense_power_watts{monitor="7"} 300.0',
        'sense_solar_power_watts{monitor="7"} 1200.0',
        'sense_leg_voltage_volts{leg="1",monitor="7"} 121.0',
        'sense_device_on{device="1a2b3c4d",monitor="7",name="Dryer"} 1.0',
        'sense_device_power_watts{device="x1",monitor="7",name="A \\"b\\"\\n\\\\c"} 20.0',
        'sense_events_total{device="1a2b3c4d",monitor="7",type="turned_on"} 1.0',
        'sense_feed{monitor="7",sense_feed="stream"} 1.0',
        'sense_mqtt_info{version="1.2.3"} 1.0',
        "sense_mqtt_broker_connected 1.0",
        "sense_mqtt_frames_total 3.0",
    ]
    assert [line for line in expected if line not in lines] == []
    assert "sense_expected_solar_power_watts{" not in response.text  # absent is not zero


def test_metrics_can_be_read_by_prometheus_own_parser(house: WatchedHouse, page: ServedPage):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    begin(house)
    families = {each.name: each for each in text_string_to_metric_families(page.ask("/metrics").text)}
    assert families["sense_power_watts"].samples[0].value == 300.0
    assert math.isfinite(families["process_cpu_seconds"].samples[0].value)
