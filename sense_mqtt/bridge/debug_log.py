"""The log at debug of what is made of each thing seen; core says why, as data, and here are the words."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from sense_mqtt.clock import Moment
from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.changes import Change
from sense_mqtt.core.home.reasons import Reason, explain
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.core.wire.frames import RealtimeUpdate

logger = logging.getLogger(__name__)

LOG_FRAMES_S = 60.0

TIMELINE_SAYS = "timeline: {event_type} at {time}: "
SENTENCES: Mapping[str, str] = {
    # of the house
    "gap_begins": "a gap begins after the frame of {time}: the next frame may differ by more than one step",
    "gap_ends": "the gap ends with the frame of {time}",
    "older_frame": "a frame older than the newest ({time}) is passed over",
    "unobserved": "no frame shows the {seconds:.1f} s from {time} on: for them the timeline decides",
    "online": "availability online: a fresh frame came",
    "offline": "availability offline: no fresh frame comes, or the monitor says so",
    "listed": "the list of devices was read: {devices} devices",
    "timeline": "the timeline tells {items} edges; {known} of them are known already or older than what is known",
    "house_event": "{event_type} at {time}: told",
    # of ids
    "goes_on": "Sense calls it {sense_id} now: it is the same device",
    "alone_again": "Sense does not call it {sense_id} any more",
    "waits_for_list": "new in the frame of {time} as another device vanished: whether they are one, the list says",
    "missing": "not in the list of devices and in no frame: it is removed if that stays so",
    # of a device, by frames
    "first_state": "{state} in the first frame that tells of it: no event",
    "held_back": "{state} since the frame of {time} ({watts} W; not before {not_before}): held back, it may not last",
    "not_lasting": "{state} since {time} did not last: not told",
    "known_by_timeline": "{state} by frames: not told, the timeline told of it before",
    "event": "{event_type} at {time}: told, source {source}, late {late}, not before {not_before}, {power_w} W",
    # of a device, by the timeline
    "waits": TIMELINE_SAYS + "waits for the frames of that time, or for the end of its run",
    "matched": TIMELINE_SAYS + "is an edge that frames showed",
    "unobserved_edge": TIMELINE_SAYS + "told, no frame shows that time",
    "short_run": TIMELINE_SAYS + "told, as part of a run too short for frames",
    "run_ended": TIMELINE_SAYS + "told, as the end of a run that only the timeline told of",
    "frames_decide": TIMELINE_SAYS + "not told, frames show that time and no such edge",
    "no_change": TIMELINE_SAYS + "not told, the device was in that state already",
    "undone": TIMELINE_SAYS + "not told, undone within the hold time",
    "thresholds": TIMELINE_SAYS + "not told, the thresholds in the configuration decide",
    "no_device": TIMELINE_SAYS + "not told, the device is hidden, virtual or unknown",
    "removed": TIMELINE_SAYS + "not told, Sense took it back",
}


class _Frames(Struct):
    """Those of one monitor since they were last told."""

    since: float  # monotonic
    count: int = 0


class DebugLog:
    """Costs nothing unless the level is debug. For the bridge's thread only."""

    def __init__(self) -> None:
        self._frames: dict[int, _Frames] = {}

    def note(self, before: Home, after: Home, seen: object, changes: Iterable[Change], now: Moment) -> None:
        """Log what was made of one thing seen; frames once a minute."""
        if not logger.isEnabledFor(logging.DEBUG):
            return
        for reason in explain(before, after, seen, changes):
            logger.debug("monitor %d: %s", after.monitor, _text_of(reason, after))
        for capability in CAPABILITIES:
            if line := capability.log_line(capability.state_of(after), seen):
                logger.debug("monitor %d: %s", after.monitor, line)
        if isinstance(seen, RealtimeUpdate):
            self._note_frame(after, seen, now)

    def _note_frame(self, home: Home, frame: RealtimeUpdate, now: Moment) -> None:
        frames = self._frames.setdefault(home.monitor, _Frames(now.monotonic))
        frames.count += 1
        passed_s = now.monotonic - frames.since
        if passed_s >= LOG_FRAMES_S:
            on = ", ".join(device.name for device in home.devices.values() if device.is_on) or "none"
            text = "monitor %d: %d frames in the last %.0f s; the newest is of %s, %.1f W, devices on: %s"
            time = _instant(frame.epoch if frame.epoch is not None else now.wall)
            logger.debug(text, home.monitor, frames.count, passed_s, time, frame.w, on)
            self._frames[home.monitor] = _Frames(now.monotonic)


def _text_of(reason: Reason, home: Home) -> str:
    facts: dict[str, Any] = {"power_w": None, **reason.facts, "time": _instant(reason.time)}
    facts["not_before"] = _instant(facts.get("not_before"))
    words = SENTENCES[reason.what].format_map({key: _shown(fact) for key, fact in facts.items()})
    device = home.devices.get(reason.device or "")
    return words if reason.device is None else f"{device.name if device else '?'} ({reason.device}): {words}"


def _shown(fact: Any) -> Any:
    if fact is None:
        return "unknown"
    return round(fact, 3) if isinstance(fact, float) else fact


def _instant(time: float | None) -> str:
    return "unknown" if time is None else write_timestamp(time)
