"""The configuration of a home changes while it is observed."""

from sense_mqtt.core.changes import DeviceRemoved
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import PolicyChanged
from tests.support.core.builders import DRYER, HOME, PLUG, events, frame, house_events, policy, readings, run


def observed(seen_at: float = 0.0):
    """Return a home that has seen the dryer and the plug draw power for three frames."""
    home, _ = run(HOME, *((seen_at + at, frame(DRYER, PLUG, at=seen_at + at)) for at in (0.0, 0.5, 1.0)))
    return home


def test_a_device_that_is_ignored_now_is_removed_at_once():
    _, changes = run(observed(), (2.0, PolicyChanged()), wanted=policy({DRYER["id"]: DeviceRules(ignore=True)}))
    assert [change.device for change in changes if isinstance(change, DeviceRemoved)] == [DRYER["id"]]
    assert house_events(changes) == [("device_removed", DRYER["id"])]


def test_a_device_that_is_ignored_no_more_comes_with_the_next_frame():
    ignoring = policy({DRYER["id"]: DeviceRules(ignore=True)})
    home, _ = run(HOME, (0.0, frame(DRYER)), wanted=ignoring)
    home, _ = run(home, (1.0, PolicyChanged()), (1.5, frame(DRYER, at=1.5)))
    assert DRYER["id"] in home.devices


def test_a_new_name_is_published_and_told():
    named = policy({DRYER["id"]: DeviceRules(name="Tumble dryer", off_delay_s=0.0)})
    home, changes = run(observed(), (2.0, PolicyChanged()), wanted=named)
    assert home.devices[DRYER["id"]].name == "Tumble dryer"
    assert house_events(changes) == [("device_renamed", DRYER["id"], "Dryer")]
    assert '"name":"Tumble dryer"' in readings(changes, "attributes", DRYER["id"])[0].replace(": ", ":")


def test_a_policy_that_is_as_before_publishes_nothing():
    _, changes = run(observed(), (2.0, PolicyChanged()))
    assert changes == []


def test_a_threshold_that_a_device_is_below_switches_it_off_with_the_next_frame():
    above = policy({PLUG["id"]: DeviceRules(off_delay_s=0.0, on_above_w=200.0)})
    home, _ = run(observed(), (1.2, PolicyChanged()), wanted=above)
    _, changes = run(home, (1.5, frame(DRYER, PLUG, at=1.5)), wanted=above)
    assert [(device, kind) for device, kind, _ in events(changes)] == [(PLUG["id"], "turned_off")]


def test_a_shorter_interval_holds_for_a_value_that_waits_already():
    slow, quick = policy(device_interval_s=3600.0), policy(device_interval_s=1.0)
    warmer = {**DRYER, "w": 5000.0}
    home, _ = run(HOME, (0.0, frame(DRYER)), (5.0, frame(warmer, at=5.0)), wanted=slow)
    home, _ = run(home, (5.2, PolicyChanged()), wanted=quick)
    _, changes = run(home, (5.5, frame(warmer, at=5.5)), wanted=quick)
    assert readings(changes, "power", DRYER["id"]) == ["5000.0"]
