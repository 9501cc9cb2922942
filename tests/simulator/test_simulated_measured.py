"""Measured watts as a house: the rule of what is on, and files that cannot be read."""

import gzip
from itertools import pairwise

import pytest

from sense_mqtt.simulator.house.measured import InvalidMeasurements, MeasuredHouse, fill_gaps, read_solar, runs
from tests.support.checkout import shared_file
from tests.support.simulator.measured_home import measured_home

NAN = float("nan")
RUNS = [
    ("a plain run", [0, 0, 20, 20, 20, 20, 20, 0, 0], [(2, 7)]),
    ("a run of four seconds is none", [0, 20, 20, 20, 20, 0, 0, 0, 0, 0], []),
    ("a pause of four seconds is none", [20] * 5 + [0] * 4 + [20] * 5, [(0, 14)]),
    ("a pause of five seconds is one", [20] * 5 + [0] * 5 + [20] * 5, [(0, 5), (10, 15)]),
    ("flicker between the thresholds stays off", [14.9, 13, 14.9, 13, 14.9, 13, 14.9], []),
    ("flicker between the thresholds stays on", [15, 13, 14, 12, 14, 13, 12, 11.9, 0, 0, 0, 0], [(0, 7)]),
    ("a blip after a run is in Other", [20] * 6 + [0] * 6 + [20] * 2 + [0] * 6, [(0, 6)]),
    ("an open end", [0, 0, 99, 99, 99, 99, 99], [(2, 7)]),
]


@pytest.mark.parametrize(("watts", "expected"), [case[1:] for case in RUNS], ids=[case[0] for case in RUNS])
def test_runs(watts, expected):
    assert runs(watts, shortest=5) == expected


def test_an_empty_cell_holds_the_last_reading_for_a_while():
    assert list(fill_gaps([NAN, 5, NAN, NAN, NAN, 7], 2)) == [0, 5, 5, 5, 0, 7]


def write(path, rows, *, header="unix,kettle,switch,server"):
    text = "\n".join([header, *rows]) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["house.csv", "house.csv.gz"])
def test_a_house_is_read_plain_or_gzipped(tmp_path, name):
    rows = [f"{1000 + second},{1500 if 10 <= second < 40 else 0},{9 + second % 3},90" for second in range(100)]
    house = MeasuredHouse(write(tmp_path / name, rows))
    assert [device.name for device in house.devices] == ["Kettle"]
    found = [(transition.kind, transition.at) for transition in house.transitions(house.since, house.ends)]
    assert found == [("turned_on", 1010), ("turned_off", 1040)]
    power = house.power_at(1020.5)
    assert power.w == 1500 + 90 + 11
    assert power.solar_w is None


BAD = [
    ("no header", "time,kettle", ["1,2", "2,3"], "first line must name"),
    ("no appliance", "unix", ["1", "2"], "first line must name"),
    ("a word", "unix,kettle", ["1,2", "2,many"], "line 3"),
    ("a missing cell", "unix,kettle,lamp", ["1,2,3", "2,3"], "line 3"),
    ("one row", "unix,kettle", ["1,2"], "at least two rows"),
]


@pytest.mark.parametrize(("header", "rows", "said"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_file_that_cannot_be_replayed_is_reported(tmp_path, header, rows, said):
    with pytest.raises(InvalidMeasurements, match=said):
        MeasuredHouse(write(tmp_path / "bad.csv", rows, header=header))


def test_measured_solar_is_interpolated_and_comes_again_the_next_day(tmp_path):
    day = [f"{second},{second / 100}" for second in range(0, 90_001, 60)]
    sun = read_solar(write(tmp_path / "sun.csv", day, header="unix,pv"))
    assert sun.watts(30) == pytest.approx(0.3)
    assert sun.watts(43_200) == pytest.approx(432)
    assert sun.watts(43_200 + 86_400 * 1000) == pytest.approx(432)


def test_solar_without_a_reading_is_reported(tmp_path):
    with pytest.raises(ValueError, match="no reading"):
        read_solar(write(tmp_path / "sun.csv", ["1,", "2,"], header="unix,pv"))


@pytest.fixture(scope="module")
def home_b(tmp_path_factory):
    """The measured home, its first half day."""
    return measured_home(tmp_path_factory.mktemp("home"), 12)


def test_half_a_day_of_the_measured_home_switches_as_its_watts_say(home_b):
    found = home_b.transitions(home_b.since, home_b.ends)
    names = {device.id: device.name for device in home_b.devices}
    starts = [names[transition.device] for transition in found if transition.kind == "turned_on"]
    assert (starts.count("Refrigerator"), starts.count("Kettle"), starts.count("Toaster")) == (14, 3, 1)
    assert "Ethernet switch" not in starts


@pytest.mark.long
def test_the_measured_home_switches_as_its_description_says():
    home_b = MeasuredHouse(shared_file("data/measured_home_b_72h_1s.csv.gz"))
    found = home_b.transitions(home_b.since, home_b.ends)
    names = {device.id: device.name for device in home_b.devices}
    starts = [names[transition.device] for transition in found if transition.kind == "turned_on"]
    counts = {name: starts.count(name) for name in sorted(set(starts))}
    # data/README.md: 84 compressor cycles, 9 kettles (one of them within 5 s of another), one lamp, three toasts.
    assert (counts["Refrigerator"], counts["Toaster"], counts["Lamp"], counts["Amplifier"]) == (84, 3, 1, 3)
    assert 8 <= counts["Kettle"] <= 9
    assert "Ethernet switch" not in counts
    assert "Pc desktop 2" not in names.values()


def test_runs_of_the_measured_home_are_five_seconds_apart(home_b):
    found = home_b.transitions(home_b.since, home_b.ends)
    for device in home_b.devices:
        times = [transition.at for transition in found if transition.device == device.id]
        assert all(later - earlier >= 5 for earlier, later in pairwise(times))
