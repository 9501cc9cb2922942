"""docs/topics.md, written from the tables that the program itself works with; a test keeps the page equal to this.

To write it anew: python -c "from docs.topic_page import *; print(topic_page(), end='')" > docs/topics.md
"""

from collections.abc import Iterable, Iterator

from sense_mqtt.core.commands.request_limit import REQUESTS_PER_S
from sense_mqtt.core.commands.response_topics import MAX_LEVELS, MAX_TOPIC_BYTES
from sense_mqtt.core.commands.table import COMMANDS
from sense_mqtt.core.energy.dips import HELD_BACK_S, PANEL_KW
from sense_mqtt.core.energy.entities import HOUSE_ENERGY
from sense_mqtt.core.energy.periods import SCALES
from sense_mqtt.core.entity import Entity
from sense_mqtt.core.publishing.home_state import KEYS
from sense_mqtt.core.readings.bridge_entities import BRIDGE, BRIDGE_DEVICE, BRIDGE_EVENTS, FEEDS
from sense_mqtt.core.readings.entities import DEVICE, DEVICE_EVENTS, HOUSE_EVENTS, MONITOR

PAGE = """\
# Topics

<!-- Generated from the code (`docs/topic_page.py`); do not edit. -->

*base* is `mqtt.base_topic` (default `sense`); *monitor* is Sense's monitor id; *device* is Sense's device id, in
which every character outside `[A-Za-z0-9_-]` becomes `_`. R: retained. Everything is QoS 1. Times are ISO 8601 UTC
with milliseconds and `Z`. Numbers are plain decimals without unit or exponent; a figure that Sense does not give is
absent, never 0.

## The house: `<base>/<monitor>/`

{house}

Figures in `energy/<scale>`, for each scale of {scales}:

{figures}

A counter that falls, or a figure that goes, within its period is a dip of Sense's: what was published stays until the
new figure has lasted for {held_back_min:.0f} minutes, the house and each device alone. What is higher than a panel can
have carried from `start` until now ({panel_kw:.0f} kW: 400 A at 240 V) is no figure.

Types of `event`: {house_events}.

## A device: `<base>/<monitor>/device/<device>/`

{device}

`always_on` and `unknown` have no events and no `state`; `solar` is published as the house's `solar_power` only.
`<base>/<monitor>/device/+/event` is the feed of all events; the same messages come on `<base>/<monitor>/events`,
together with those of the house's `event`. One of them:

```json
{{"event_type": "turned_on", "monitor": 123456, "device": "1a2b3c4d", "time": "2026-11-21T19:00:00.500Z",
 "id": "b3f0...", "name": "Dryer", "power_w": 5584.7, "source": "frame", "late": false}}
```

Types: {device_events}; `idle` of plugs only, `cycle_finished` of washers, dryers and dishwashers ([cycles](cycles.md)).
What ends a run, `turned_off` or `idle`, adds its `duration_s` and `energy_kwh` where they are known. `time` is when it
happened at the house. `source` is `frame` (two successive frames differ), `reconnect` (found on the first frame after a
gap) or `timeline` (Sense's own timeline told of it).
`late`: published more than a minute after `time`, or after a newer event of the device. The same transition always
has the same `id`.

## The bridge: `<base>/bridge/`

{bridge}

`feed` says {feeds} (no frames come); of several monitors it is the worst, and `feeds` holds each by its id.
`auth` says `ok`, `auth_required` (a person must log in), `unavailable` or `starting`.
With several `accounts` the worst is told, `accounts` of `health` holds for each name its `auth`, `monitors` and
calls, and the events `auth_required` and `auth_ok` name the `account`.
Where several processes share the accounts (`shard`), each has `<base>/bridge-<index>/` in place of
`<base>/bridge/`, for requests and responses too ([scale](scale.md)).

## Rounding and intervals

A reading is published when its rounded value has changed and its interval has passed, the newest value then. A
transition publishes the device's power at once, and so does a change of at least `publish.jump_w` where that is
set.

The readings of the house are one set, of one frame, on one clock: when it is due, with every transition, and with a
jump of one of them, all of it that has changed is published. So `grid_power` is always `power` less `solar_power`. A
device that draws more than the house was told to brings the set, and the set brings devices that were told to draw
more than the house does now. A frame that does not tell the sun's watts, in a home where they were told, brings no
set; if none tells them for as long as a house without frames stays `online`, `solar_power`, `grid_power`,
`surplus_power` and `solar_share` are emptied, and the rest goes on; so is `surplus`.

{readings}

## Commands

Publish a JSON object, or nothing for no arguments, to `<base>/bridge/request/<command>`, not retained. It may hold
`monitor` (needed where the account has several) and `transaction` (any value, given back). The answer comes on
`<base>/bridge/response/<command>`, or with MQTT 5 on the request's response topic, with its correlation data.
The response topic is not used, and `<base>/bridge/response/<command>` is, where it begins with `$`, holds a wildcard
or a control character, lies below Home Assistant's prefix or below *base* (but for `<base>/bridge/response/`), holds a
level `request` or one that begins with `set`, is longer than {topic_bytes} bytes or deeper than {topic_levels} levels,
or matches none of the filters of `mqtt.response_topics` where there are some: whoever may publish requests
must not publish anything else with the bridge's rights. Who shares a broker with others should list filters there.

```json
{{"status": "ok", "data": {{}}, "transaction": "abc"}}
{{"status": "error", "error": "no device 'zzz' on monitor 123456", "code": "not_found", "transaction": "abc"}}
```

Codes: `bad_request`, `unknown_command`, `not_found`, `busy`, `rate_limited`, `unauthorized`, `unavailable`,
`too_large`. With `rate_limited` comes `retry_after_s`, the seconds after which asking again may help: Sense asked us
to wait, or commands have cost as many calls in this hour as they may (`sense.command_calls_per_hour`).

At most {requests_per_s} requests of one second are carried out. Those beyond are answered with `busy` as far as answers
can wait; in a flood the rest gets no answer, is counted in `health` (`requests_unanswered`) and logged once a minute.

*Raw* is what Sense answered; only serial numbers, e-mail addresses and tokens in it are replaced by
`***`, as MQTT is read by many.

{commands}

## Home Assistant

What `home_assistant.discovery` introduces, by the row's key. A unique id is `sense_mqtt_<monitor>_<key>`, of a
device `sense_mqtt_<monitor>_<device>_<key>`; it never changes. Solar: in homes with solar only. Keys that end in
`_day` are there for the other scales too, disabled until somebody switches them on in Home Assistant.

### The monitor

{monitor_entities}

### A device

{device_entities}

### The bridge

Unique ids are `sense_mqtt_bridge_<base>_<key>`. `restart` is disabled until somebody switches it on.

{bridge_entities}

Device triggers, and which trigger is for what: [Home Assistant](home-assistant.md).
"""

Told = tuple[str, str, str]  # topic, R or -, payload

TOPIC_HEAD = ("topic", "R", "payload")
ENTITY_HEAD = ("key", "name", "platform", "class", "unit", "solar")
INTERVALS = {"house": "`publish.house_interval_s`", "device": "`publish.device_interval_s`", "minute": "60 s"}
LISTED = ("id", "name", "icon", "make", "model", "location", "type", "kind", "on", "power_w", "last_on", "last_off")
COUNTED = ("frames", "events", "reconnects", "last_frame", "feed", "feeds", "auth", "log_level", "rss_mb", "uptime_s")


def topic_page() -> str:
    """Return the whole page."""
    return PAGE.format(
        house=_table(TOPIC_HEAD, (*_topics(MONITOR), *_house_documents())),
        scales=_codes(map(str.lower, SCALES)),
        held_back_min=HELD_BACK_S / 60,
        panel_kw=PANEL_KW,
        figures=_table(("figure", "what"), ((f"`{row.field}`", row.description) for row in HOUSE_ENERGY)),
        house_events=_codes(HOUSE_EVENTS),
        device=_table(TOPIC_HEAD, (*_topics(DEVICE), *_device_documents())),
        device_events=_codes(DEVICE_EVENTS),
        bridge=_table(TOPIC_HEAD, _bridge_documents()),
        feeds=_codes(FEEDS),
        readings=_table(
            ("reading", "decimals", "at most every"), (*_readings("", MONITOR), *_readings("device ", DEVICE))
        ),
        requests_per_s=REQUESTS_PER_S,
        topic_bytes=MAX_TOPIC_BYTES,
        topic_levels=MAX_LEVELS,
        commands=_table(("command", "arguments", "what it does"), _commands()),
        monitor_entities=_table(ENTITY_HEAD, _entities((*MONITOR, *BRIDGE))),
        device_entities=_table(ENTITY_HEAD, _entities(DEVICE)),
        bridge_entities=_table(ENTITY_HEAD, _entities(BRIDGE_DEVICE, disabled=True)),
    )


def _house_documents() -> Iterator[Told]:
    yield "`status`", "R", _status_text()
    yield (
        "`devices`",
        "R",
        f"JSON list of all known devices, sent when one appears, goes, is renamed or switches: {_codes(LISTED)}",
    )
    yield "`state`", "R", f"JSON, the house in one document, with `time` of its frame; what is known of {_codes(KEYS)}"
    yield "`events`", "-", "every event of the house and of its devices, for those who have no wildcards"


def _status_text() -> str:
    lists = "`in_progress`, `found` (lists of `name`, `icon`, `progress`), their lengths `num_in_progress`, `num_found`"
    return (
        "JSON, Sense's status of the monitor, read each hour and when Sense says that something changed: `online`, "
        f"`version`, `wifi_strength` (%), `detection` with {lists} and `num_detected`, `new_device_found`"
    )


def _device_documents() -> Iterator[Told]:
    yield "`attributes`", "R", "JSON, the device's entry of `devices`"


def _bridge_documents() -> Iterator[Told]:
    yield "`state`", "R", "`online`, published last on every connection; `offline` by the last will and on a clean stop"
    yield "`info`", "R", "JSON: `version`, `started`, `monitors`, `feed`, `config` (no secret in it)"
    yield (
        "`health`",
        "R",
        f"JSON, once a minute: {_codes(COUNTED)}, calls of the last hour, queue lengths, [`webhooks`](webhooks.md)",
    )
    yield "`event`", "-", f"JSON: `event_type`, `time` and what belongs to it; types: {_codes(BRIDGE_EVENTS)}"
    yield "`request/<command>`", "-", "in: a command, see below"
    yield "`response/<command>`", "-", "out: its answer"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(_line(cells) for cells in (head, ("---",) * len(head), *rows))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _topics(rows: Iterable[Entity]) -> Iterator[Told]:
    rows = tuple(rows)
    for row in rows:
        if row.field is None:
            yield f"`{row.topic}`", "-" if row.platform == "event" else "R", row.description
    periods = (row.field for row in rows if row.topic.startswith("energy/"))
    fields = _codes(dict.fromkeys(field for field in periods if field is not None))
    yield "`energy/<scale>`", "R", f"JSON: {fields}, `start` of the period, `updated`"


def _readings(subject: str, rows: Iterable[Entity]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        if row.throttle is not None:
            decimals = "" if row.decimals is None else str(row.decimals)
            yield f"{subject}`{row.topic}`", decimals, INTERVALS[row.throttle]


def _commands() -> Iterator[tuple[str, ...]]:
    for name, entry in COMMANDS.items():
        yield f"`{name}`", "; ".join(argument.describe() for argument in entry.arguments), entry.description


def _entities(rows: Iterable[Entity], *, disabled: bool = False) -> Iterator[tuple[str, ...]]:
    for row in rows:
        if row.enabled or disabled:
            solar = "yes" if row.solar_only else ""
            name = row.name or "(the device's own)"
            yield f"`{row.key}`", name, row.platform, row.device_class or "", row.unit or "", solar
