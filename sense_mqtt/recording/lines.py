"""The lines of a recording: one JSON object for each note, after a head that says what wrote it."""

import json
from collections.abc import Mapping
from typing import Any

import msgpack
import msgspec

from sense_mqtt.clock import Moment
from sense_mqtt.core.wire.frames import holds_json
from sense_mqtt.items import FrameArrived
from sense_mqtt.recording.notes import FRAMES, SEEN, HomeRestored, Note, PolicySet, Polled
from sense_mqtt.recording.redact import RecordingRedactor

FORMAT = 1
POLICY_SECTIONS = ("feed", "publish", "energy", "solar", "devices", "defaults")
SEEN_BY_NAME: Mapping[str, Any] = {kind.__name__: kind for kind in (*FRAMES, *SEEN)}


class BadRecording(ValueError):
    """A line that cannot be read."""


def write_head(version: str, config: Mapping[str, Any], now: Moment, redactor: RecordingRedactor) -> str:
    """Return the first line; `config` is the public one, of which only what the core needs is kept."""
    kept = policy_config(config)
    return json.dumps({"recording": FORMAT, "version": version, "wall": now.wall, "config": redactor.clean(kept)})


def policy_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a public configuration that says how frames become events."""
    kept = {section: config[section] for section in POLICY_SECTIONS if section in config}
    devices = {device: dict(rules) for device, rules in kept.get("devices", {}).items()}
    for rules in devices.values():
        if (rules.get("cycle") or {}).get("pause_s") == 0:
            rules["cycle"] = "off"  # as it is written in a configuration
    return {**kept, "devices": devices}


def read_head(line: str) -> Mapping[str, Any]:
    """Return the configuration of the first line. Raises BadRecording."""
    try:
        head = json.loads(line)
        if head["recording"] == FORMAT and isinstance(head["config"], dict):
            return head["config"]
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise BadRecording("the first line is no head of a recording")


def write_note(note: Note, redactor: RecordingRedactor) -> str:
    """Return the line of a note, without what is private."""
    kind, content = _content(note.what)
    line = {"wall": note.now.wall, "monotonic": note.now.monotonic, "monitor": note.monitor}
    return json.dumps({**line, kind: redactor.clean(content, kind)})


def _content(what: Any) -> tuple[str, Any]:
    match what:
        case FrameArrived(_, raw):
            return _of_frame(raw)
        case Polled(payload, took_s):
            return "polled", {"payload": payload, "took_s": took_s}
        case HomeRestored(rows, name, solar):
            stored = [{"capability": key[0], "device": key[1], "document": document} for key, document in rows.items()]
            return "home", {"rows": stored, "name": name, "solar": solar}
        case PolicySet(stale_after_s, config):
            kept = None if config is None else policy_config(config)
            return "policy", {"stale_after_s": stale_after_s, "config": kept}
        case _:
            return type(what).__name__, msgspec.to_builtins(what)


def _of_frame(raw: str | bytes) -> tuple[str, Any]:
    try:
        if holds_json(raw):
            return "frame", json.loads(raw)
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=len(raw))
        unpacker.feed(raw)
        kind, *rest = list(unpacker)
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException):
        return "unreadable", len(raw)  # it may hold anything
    return "msgpack", {"type": kind, "rest": rest}


def read_note(line: str) -> Note:
    """Return the note of a line. Raises BadRecording."""
    try:
        fields = json.loads(line)
        moment, monitor = Moment(fields.pop("wall"), fields.pop("monotonic")), int(fields.pop("monitor"))
        ((kind, content),) = fields.items()
        return Note(moment, monitor, _what(kind, content, monitor))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadRecording(f"a line that is no note of a recording: {type(error).__name__}") from error


def _what(kind: str, content: Any, monitor: int) -> Any:
    match kind:
        case "frame":
            return FrameArrived(monitor, json.dumps(content))
        case "msgpack":
            return FrameArrived(monitor, b"".join(map(msgpack.packb, (content["type"], *content["rest"]))))
        case "unreadable":
            return FrameArrived(monitor, "")
        case "polled":
            return Polled(content["payload"], content["took_s"])
        case "home":
            rows = {(row["capability"], row["device"]): row["document"] for row in content["rows"]}
            return HomeRestored(rows, content["name"], content["solar"])
        case "policy":
            return PolicySet(content["stale_after_s"], content["config"])
        case _:
            return msgspec.convert(content, SEEN_BY_NAME[kind])
