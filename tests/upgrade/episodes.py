"""What happens in the scripted run, one episode after the other, all at fixed times."""

import json
from typing import Any

import msgpack

from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.errors import LoginRefused, RateLimited, SenseUnavailable
from sense_mqtt.items import AuthChanged, FeedChanged, FeedEnded, FeedLimited, FrameArrived, Stop
from sense_mqtt.sense.auth.tokens import Monitor
from tests.support.bridge.bridge_harness import BridgeHarness
from tests.support.core.builders import ALWAYS_ON, DRYER, KETTLE, OTHER, PLUG, SOLAR, START

HOMES = (Monitor(7, solar=True), Monitor(8))
TIMELINE, DEVICES = "users/{user}/timeline", "app/monitors/7/devices"
PERIOD = {"start": "2026-11-21T00:00:00Z"}
USAGE = {"consumption": {"usage_total_kwh": 12.25, "devices": [{"id": DRYER["id"], "total_kwh": 1.5}]}, **PERIOD}
IDLE_PLUG = PLUG | {"w": 0.5, "sd": {"w": 0.5}, "ao_w": 0.5, "attrs": ["Idle"]}
LISTED = [
    {"id": DRYER["id"], "name": "Dryer", "make": "Acme", "model": "D 1", "tags": {"UserDeviceType": "Dryer"}},
    {"id": KETTLE["id"], "name": "Kettle", "location": "Kitchen"},
    {"id": PLUG["id"], "name": "TV", "tags": {"UserDeviceType": "TV"}},
]
DELETED = {"tags": {"UserDeleted": "true"}}


def start(bridge: BridgeHarness) -> None:
    bridge.begin()
    bridge.open_feed(8)
    bridge.take(FrameArrived(7, json.dumps({"type": "hello", "payload": {"online": True}})))


def _show(bridge: BridgeHarness, *devices: Any, at: float, monitor: int = 7, **fields: Any) -> None:
    """Show a frame of a home with solar, as msgpack for the odd seconds."""
    bridge.clock.after_s = max(bridge.clock.after_s, at)
    payload = {
        "w": round(300.0 + sum(device["w"] for device in devices), 3),
        "devices": [*devices, ALWAYS_ON, OTHER],
        "epoch": START + at,
        "channels": [150.5, 149.5],
        "voltage": [121.25, 120.75],
        "hz": 59.98,
        **({"solar_w": 1200.0 + at, "grid_w": -800.0, "solar_pct": 80.0} if monitor == 7 else {}),
        **fields,
    }
    packed = b"".join(map(msgpack.packb, ("realtime_update", START + at, payload)))
    text = json.dumps({"type": "realtime_update", "payload": payload})
    bridge.take(FrameArrived(monitor, packed if int(at) % 2 else text))
    bridge.work()


def stream(bridge: BridgeHarness) -> None:
    """On, idle and off; a change that does not last; a new device; a quiet minute."""
    for at in range(6, 90):
        running = [
            *([DRYER | {"w": 5000.0 + at}] if 12 <= at < 60 else []),
            *([KETTLE] if 20 <= at < 40 or at in (70, 72) else []),
            *([PLUG if at < 50 else IDLE_PLUG] if at < 80 else []),
            *([SOLAR] if at % 3 else []),
            *([{"id": "new", "name": "Lamp / Hall", "w": 40.0, "icon": "lightbulb"}] if at > 62 else []),
        ]
        _show(bridge, *running, at=float(at))
        if at % 4 == 0:
            _show(bridge, KETTLE, at=at + 0.5, monitor=8)
    bridge.pass_time(20)


def _push(bridge: BridgeHarness, kind: str, **payload: Any) -> None:
    bridge.take(FrameArrived(7, json.dumps({"type": kind, "payload": payload})))
    bridge.pass_time(6)


def _item(kind: str, device: str, at: float, guid: str) -> dict[str, Any]:
    return {"type": kind, "device_id": device, "time": write_timestamp(START + at), "guid": guid}


def push_items(bridge: BridgeHarness) -> None:
    """What the feed pushes beside frames."""
    now = bridge.clock.after_s
    run = [_item("DeviceOn", DRYER["id"], now - 30, "g1"), _item("DeviceOff", DRYER["id"], now - 20, "g2")]
    _show(bridge, DRYER, at=now + 1)
    _push(bridge, "new_timeline_event", items_added=run, items_updated=[], items_removed=[])
    _push(bridge, "monitor_info", features="net_safe", online=True)
    _push(bridge, "data_change", device_data_checksum="one", pending_events={"new_device_found": {"device_id": "x"}})
    bridge.session.responses[DEVICES] = [LISTED[0] | {"name": "Tumble dryer"}, *LISTED[1:], {"id": "new"} | DELETED]
    _push(bridge, "data_change", device_data_checksum="two")
    _push(bridge, "device_states", update_type="full", states=[])
    _push(bridge, "never_heard_of")
    for at in range(3):
        _show(bridge, DRYER, KETTLE, at=bridge.clock.after_s + 1 + at)


def cut_the_stream(bridge: BridgeHarness) -> None:
    """The stream is cut; the timeline tells of a run that no frame showed."""
    began = bridge.clock.after_s
    bridge.take(FeedEnded(7, "cut"))
    bridge.clock.after_s = began + 400
    run = [_item("DeviceOn", PLUG["id"], began + 100, "g3"), _item("DeviceOff", PLUG["id"], began + 160, "g4")]
    bridge.session.responses[TIMELINE] = {"items": [*run, _item("DeviceOff", KETTLE["id"], began + 200, "g5")]}
    bridge.open_feed()
    for at in range(10):
        _show(bridge, DRYER, at=bridge.clock.after_s + 1 + at)
    bridge.session.responses[TIMELINE] = {"items": []}


def lose_the_broker(bridge: BridgeHarness) -> None:
    """The broker goes, devices switch, it comes back; Home Assistant is born."""
    bridge.drop()
    bridge.broker.carries = False
    for at in range(8):
        _show(bridge, *([DRYER, KETTLE] if at < 4 else []), at=bridge.clock.after_s + 1)
    attempts = bridge.broker.connection_id
    while bridge.broker.connection_id == attempts:
        bridge.clock.after_s += 60.0  # more than any random wait
        bridge.take(None)
        bridge.work()
    bridge.broker.carries = True
    bridge.connect()
    bridge.send("homeassistant/status", b"online")
    bridge.pass_time(5)


def poll(bridge: BridgeHarness) -> None:
    """Sense refuses the stream: the home is polled, then silent."""
    bridge.take(FeedEnded(7, "on to poll"), FeedChanged(7, "poll", "Sense refused the stream"))
    bridge.take(FeedLimited(7, "HTTP 429", 60.0))
    bridge.open_feed(transport="poll")
    for number in range(3):
        bridge.clock.after_s += 60
        running = [DRYER] if number == 1 else []
        bridge.poll({"w": 500.0 + number, "devices": [*running, ALWAYS_ON]})
        bridge.work()
    bridge.pass_time(300)
    bridge.take(FeedEnded(7, "on to stream"), FeedChanged(7, "stream", "Sense takes it again"))
    bridge.open_feed()
    _show(bridge, DRYER, at=bridge.clock.after_s + 1)


def ask_each_command(bridge: BridgeHarness) -> None:
    """Each command once, some with an answer of an own topic, some refused."""
    calls = [
        *[(name, {"monitor": 7}) for name in ("devices", "always_on", "unknown", "status", "overview", "usage")],
        *[(name, {"monitor": 7}) for name in ("energy", "trends", "solar_usage", "realtime", "history", "refresh")],
        *[(name, {"monitor": 8}) for name in ("comparisons", "rate_zones")],
        *[("device", {"monitor": 7, "id": DRYER["id"]}), ("timeline", {"n_items": 2}), ("republish", {})],
        *[("get", {"path": "app/monitors/{monitor}/status", "monitor": 7}), ("health", {"transaction": "a"})],
        *[("pause", {"minutes": 1}), ("resume", {}), ("log_level", {"level": "info"}), ("nonsense", {})],
        *[("status", {}), ("usage", {"scale": "AEON", "monitor": 7}), ("get", {"path": "https://example.com/"})],
    ]
    for number, (name, arguments) in enumerate(calls):
        bridge.ask(name, {**arguments, "transaction": number} if number % 2 else arguments)
        bridge.work()
        bridge.pass_time(1)
    bridge.ask("health", {}, response_topic="node-red/answer", correlation=b"\x01")
    bridge.session.responses["app/monitors/7/status"] = RateLimited("Sense asks us to wait", 60.0)
    bridge.ask("status", {"monitor": 7})
    bridge.work()
    bridge.session.responses["app/monitors/7/status"] = {}


def lose_device_and_login(bridge: BridgeHarness) -> None:
    """Sense wants a person; a device was removed; then the broker stalls, and an event waits."""
    bridge.take(AuthChanged("auth_required", "wrong password"))
    bridge.pass_time(10)
    bridge.take(AuthChanged("ok", "a stored session is at hand"))
    bridge.session.responses[DEVICES] = [LISTED[0], LISTED[1] | DELETED, LISTED[2]]
    bridge.ask("refresh", {"monitor": 7})
    bridge.work()
    bridge.pass_time(70)
    _show(bridge, DRYER, at=bridge.clock.after_s + 1)
    _show(bridge, DRYER, at=bridge.clock.after_s + 1)
    bridge.broker.slow = True
    for _ in range(8):
        _show(bridge, at=bridge.clock.after_s + 1)


def go_on_after_a_restart(bridge: BridgeHarness) -> None:
    """Start again, with an outage of Sense at first; stop in good order."""
    bridge.clock.after_s += 3600
    bridge.session.responses[TIMELINE] = SenseUnavailable("HTTP 502")
    bridge.begin()
    bridge.open_feed(8)
    for at in range(5):
        _show(bridge, DRYER, PLUG, at=bridge.clock.after_s + 1 + at)
    bridge.pass_time(60)
    bridge.take(Stop("SIGTERM"))
    bridge.bridge.end()


def live_with_another_configuration(bridge: BridgeHarness) -> None:
    """What the process before announced, and this one does not, is taken back; Sense lets nobody in at first."""
    told, bridge.session.told = bridge.session.told, LoginRefused("wrong password")
    bridge.connect()
    bridge.work()
    bridge.session.told = told
    bridge.pass_time(15)
    bridge.open_feed()
    for at in range(20):
        _show(bridge, *([KETTLE] if 4 <= at < 10 or at == 15 else []), PLUG, at=bridge.clock.after_s + 1)
    bridge.pass_time(30)


FIRST_PROCESS = (
    start,
    stream,
    push_items,
    cut_the_stream,
    lose_the_broker,
    poll,
    ask_each_command,
    lose_device_and_login,
)
