"""The measured washing machine: 80 motor pulses at 10 W, heated up to 2.3 kW, are one cycle with the right energy."""

import csv
import gzip
from itertools import islice

import pytest

from sense_mqtt.core.changes import Event
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.observe import observe
from sense_mqtt.core.stored_home import restore, snapshot
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import read_update
from sense_mqtt.simulator.house.measured import fill_gaps
from tests.support.checkout import shared_file
from tests.support.core.builders import HOME, PSEUDO, policy

ON_W = 10.0
BEGINS, LASTS = 50_300, 3_900  # rows of 1 s: the wash, and the pause after it
RESTARTS_AT = (1000, 1001, 1750, 2600)  # rows
WASHER = {"id": "71fd0a56", "name": "Washer", "tags": {"UserDeviceType": "WashingMachine"}}


@pytest.fixture(scope="module")
def watts() -> list[float]:
    with gzip.open(shared_file("data/measured_home_b_72h_1s.csv.gz"), "rt", newline="") as file:
        rows = list(islice(csv.DictReader(file), BEGINS, BEGINS + LASTS))
    return list(fill_gaps([float(row["washing_machine"] or "nan") for row in rows], 30))


def test_the_measured_wash_is_one_cycle_through_restarts_in_the_middle(watts: list[float]):
    home, told = HOME, list[Event]()
    for second, w in enumerate(watts):
        shown = [{**WASHER, "w": w}] if w >= ON_W else []
        frame = read_update({"w": 300.0 + w, "devices": [*shown, *PSEUDO], "epoch": 1_326_000_000 + second})
        home, changes = observe(home, frame, Moment(1_326_000_000.0 + second, float(second)), policy())
        told += [change for change in changes if isinstance(change, Event) and change.event_type == "cycle_finished"]
        if second in RESTARTS_AT:
            home = restore(Home(7).monitor, snapshot(home), policy())
    [cycle] = told
    true_kwh = sum(w for w in watts if w >= ON_W) / 3.6e6
    assert cycle.fields["energy_kwh"] == pytest.approx(true_kwh, rel=0.01)
    assert (cycle.fields["phases"], cycle.fields["peak_w"]) == (80, max(watts))
    assert cycle.fields["duration_s"] == pytest.approx(3521, abs=2)
