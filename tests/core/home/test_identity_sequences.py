"""Whatever Sense shows of ids, merges and plugs, in whichever order: no device is there twice, none is left behind."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sense_mqtt.core.changes import DeviceRemoved, Event
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.state import DevicesListed, Interrupted, Tick
from sense_mqtt.core.observe import observe
from sense_mqtt.core.wire.devices import read_device_list
from tests.support.core.builders import HOME, frame, moment, policy

pytestmark = pytest.mark.no_cover  # others cover all that these do

IDS = st.sampled_from(["a", "b", "c", "p", "q"])
TAGS = st.fixed_dictionaries(
    {},
    optional={
        "MergeId": IDS,
        "MergedDevices": st.lists(IDS, max_size=3).map(",".join),
        "DUID": st.sampled_from(["x", "y"]),
        "DateCreated": st.sampled_from(["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"]),
        "UserDeleted": st.sampled_from(["true", "false"]),
    },
)
ROW = st.builds(lambda identity, name, tags: {"id": identity, "name": name, "w": 5.0, "tags": tags}, IDS, IDS, TAGS)
ROWS = st.lists(ROW, max_size=4, unique_by=lambda row: row["id"])
STEP = st.tuples(
    st.sampled_from([0.5, 20.0, 700.0]), st.sampled_from(["list", "frame", "tick", "gap", "restart"]), ROWS
)


@settings(max_examples=50, deadline=None)
@given(st.lists(STEP, max_size=12))
def test_any_sequence_leaves_a_home_that_makes_sense(steps):
    home, found, gone, wanted = HOME, Counter[str](), Counter[str](), policy()
    at = 0.0
    for pause_s, kind, rows in steps:
        at += pause_s
        if kind == "restart":
            home = restore(7, json.loads(json.dumps(snapshot(home))), wanted)
            continue
        shown = frame(*rows, at=at) if kind == "frame" else DevicesListed(read_device_list(rows))
        seen = {"tick": Tick(), "gap": Interrupted()}.get(kind, shown)
        before, (home, changes) = home, observe(home, seen, moment(at), wanted)
        removed = [change.device for change in changes if isinstance(change, DeviceRemoved)]
        events = [change for change in changes if isinstance(change, Event) and change.device is not None]
        assert len(set(removed)) == len(removed)  # nothing is cleared twice at once
        assert before.devices.keys() - home.devices.keys() <= set(removed)  # what is gone is cleared
        assert all(event.device in home.devices or event.device in removed for event in events)
        identities = home.identities
        assert not set(identities.aliases) & home.devices.keys()  # no device is there under two ids
        assert not set(identities.parents) & home.devices.keys()
        assert all(device.info.id == identity for identity, device in home.devices.items())
        found.update(device for device in home.devices if device not in before.devices)
        gone.update(removed)
    assert all(found[device] >= count or device not in home.devices for device, count in gone.items())
