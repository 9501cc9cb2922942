"""The log at debug: a missed event can be followed by it alone."""

import json
import logging
import string

from sense_mqtt.bridge.debug_log import SENTENCES, DebugLog
from sense_mqtt.core.energy.periods import Energy
from sense_mqtt.core.home.state import QueryResult
from sense_mqtt.core.observe import observe
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.items import FeedEnded, FrameArrived
from tests.support.core.builders import DRYER, HOME, START, moment, policy

TIMELINE = "users/{user}/timeline"
SENSE_MQTT = logging.getLogger("sense_mqtt")


def item(edge, at):
    return {"type": edge, "device_id": "1a2b3c4d", "time": write_timestamp(START + at), "guid": f"g{at}"}


def lines(caplog, holding="1a2b3c4d"):
    return [record.getMessage() for record in caplog.records if holding in record.getMessage()]


def test_an_event_is_followed_from_the_frame_to_the_broker(bridge, caplog):
    caplog.set_level(logging.DEBUG, "sense_mqtt")
    for at in range(1, 4):
        bridge.show(DRYER, at=at)
    for at in range(4, 8):
        bridge.show(at=at)
    time = write_timestamp(START + 4)
    first, held, told, sent, _copy = lines(caplog)
    before = write_timestamp(START + 3)
    head = "monitor 7: Dryer (1a2b3c4d): "
    assert first == f"{head}on in the first frame that tells of it: no event"
    assert held == f"{head}off since the frame of {time} (0.0 W; not before {before}): held back, it may not last"
    assert told == f"{head}turned_off at {time}: told, source frame, late False, not before {before}, 0.0 W"
    assert sent.startswith("event 1 sent as message ")
    assert "event 1 acknowledged by the broker" in caplog.text


def test_an_edge_that_was_not_reported_has_its_reason(bridge, caplog):
    for at in range(1, 30):
        bridge.show(DRYER, at=at)
    caplog.set_level(logging.DEBUG, "sense_mqtt")
    pushed = {"type": "new_timeline_event", "payload": {"items_added": [item("DeviceOff", 25)]}}
    bridge.take(FrameArrived(7, json.dumps(pushed)))
    for at in range(30, 60):
        bridge.show(DRYER, at=at)
    head = f"monitor 7: Dryer (1a2b3c4d): timeline: turned_off at {write_timestamp(START + 25)}: "
    assert lines(caplog) == [
        head + "waits for the frames of that time, or for the end of its run",
        head + "not told, frames show that time and no such edge",
    ]


def test_what_a_gap_hid_is_followed_through_the_reading_of_the_timeline(bridge, caplog):
    for at in range(1, 4):
        bridge.show(DRYER, at=at)
    caplog.set_level(logging.DEBUG, "sense_mqtt")
    bridge.session.responses[TIMELINE] = {"items": [item("DeviceOff", 40)], "more_items": False}
    bridge.take(FeedEnded(7, "cut"))
    bridge.clock.after_s = 100
    bridge.open_feed()
    bridge.show(at=100)
    bridge.work()
    order = [
        "the feed of monitor 7 ended: cut",
        "a gap begins",
        "frames wait until the timeline of the gap is read",
        "due: ReadTimeline(monitor=7, why='gap')",
        "page 1 has 1 items",
        "the timeline tells 1 edges; 0 of them are known already",
        "told, no frame shows that time",
        "1 items waited for the timeline and are handled now",
        "the gap ends",
    ]
    places = [caplog.text.find(words) for words in order]
    assert -1 not in places
    assert places == sorted(places)


def test_frames_are_reported_once_a_minute(bridge, caplog):
    caplog.set_level(logging.DEBUG, "sense_mqtt")
    for at in range(1, 182):
        bridge.show(DRYER, at=at)
    told = lines(caplog, "frames in the last")
    assert len(told) == 3
    assert told[1] == (
        f"monitor 7: 60 frames in the last 60 s; the newest is of {write_timestamp(START + 121)}, 300.0 W, "
        "devices on: Dryer"
    )


def test_energy_has_as_many_digits_as_are_published(caplog):
    caplog.set_level(logging.DEBUG, "sense_mqtt")
    read = QueryResult("energy", "day", Energy("DAY", None, 12.3456789))
    home, changes = observe(HOME, read, moment(0), policy())
    DebugLog().note(HOME, home, read, changes, moment(0))
    [line] = lines(caplog, "energy DAY")
    assert line.endswith("energy DAY: read 12.346 kWh, going on with 12.346 kWh")


def test_above_debug_nothing_of_it_is_made(bridge, caplog):
    caplog.set_level(logging.INFO, "sense_mqtt")
    bridge.show(DRYER, at=1)
    bridge.show(at=2)
    assert not lines(caplog)


def test_the_words_need_no_fact_but_those_that_are_always_there():
    needed = {field for text in SENTENCES.values() for _, field, *_ in string.Formatter().parse(text) if field}
    assert needed <= {
        *("time", "not_before", "power_w", "seconds", "devices", "scale", "read_kwh", "kept_kwh", "items", "known"),
        *("state", "watts", "event_type", "source", "late", "sense_id"),
    }
