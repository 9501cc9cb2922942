"""An appliance that draws on as before is passed over, and that shows in nothing that is told."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.capability import Observation
from sense_mqtt.core.changes import Event, Reading
from sense_mqtt.core.cycles.capability import CYCLES
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.observe import observe
from tests.support.core.builders import DRYER, HOME, KETTLE, PLUG, moment, policy
from tests.support.core.fuzz import throw
from tests.support.core.random_home import RULES, observations
from tests.support.seeds import seeds

APPLIANCES = (DRYER["id"], KETTLE["id"], PLUG["id"], "d3")
POLICY = policy(
    {each: replace(RULES.get(each, DeviceRules()), cycle_pause_s=20.0) for each in APPLIANCES},
    house_interval_s=3.0,
    device_interval_s=7.0,
    stale_after_s=20.0,
)
FOLLOWS = Reading(None, "anything", None)  # where anything follows from a frame, no appliance is passed over


@pytest.mark.parametrize("seed", seeds(8, quick=2))
def test_nothing_else_is_told_than_by_looking_at_each_appliance_with_each_frame(seed):
    home, passing_over, looking, count = HOME, CYCLES.initial, CYCLES.initial, 0
    for at, seen in observations(throw(seed), 600):
        after, changes = observe(home, seen, moment(at), POLICY)
        observation = Observation(home, after, seen, changes, moment(at), POLICY)
        update = CYCLES.update(passing_over, observation)
        expected = CYCLES.update(looking, replace(observation, changes=(*changes, FOLLOWS)))
        assert (list(update.changes), update.store) == (list(expected.changes), expected.store)
        home, passing_over, looking = after, update.state, expected.state
        count += sum(isinstance(each, Event) for each in update.changes)
    assert count > 0
