"""The house in one document: what was published of it last, and when that was true."""

import json

from sense_mqtt.core.changes import Reading
from sense_mqtt.core.home.state import Home, Tick
from sense_mqtt.core.observe import observe
from sense_mqtt.core.publishing.home_state import is_changed, write_home_state
from tests.support.core.builders import DRYER, HOME, frame, moment, policy, run


def test_the_document_holds_what_was_published_last_with_the_time_of_the_frame():
    home, _ = run(HOME, (0.0, frame(DRYER, w=1500.26, solar_w=500.0, channels=[750.0, 750.26])))
    document = json.loads(write_home_state(home))
    assert document["time"] == "2026-11-18T11:06:40.000Z"
    assert (document["power"], document["solar_power"], document["grid_power"]) == (1500.3, 500.0, 1000.3)
    assert (document["leg_1_power"], document["solar_share"]) == (750.0, 33.0)
    assert "frequency" not in document
    assert not {"availability", "last_frame", "devices"} & set(document)


def test_figures_that_belong_together_are_of_one_frame():
    home, _ = run(HOME, (0.0, frame(w=1500.0, solar_w=500.0)), (11.0, frame(w=400.0, solar_w=900.0)))
    document = json.loads(write_home_state(home))
    assert document["grid_power"] == document["power"] - document["solar_power"] == -500.0


def test_of_a_house_of_which_nothing_is_known_nothing_is_said():
    assert write_home_state(Home(monitor=7)) == "{}"


def test_only_what_is_in_the_document_makes_it_new():
    home, _ = run(HOME, (0.0, frame(DRYER)))
    _, nothing = observe(home, Tick(), moment(1.0), policy())
    assert not is_changed(nothing)
    assert not is_changed([Reading(None, "last_frame", None), Reading("1a2b3c4d", "power", 5.0)])
    assert is_changed([Reading(None, "power", 5.0)])
