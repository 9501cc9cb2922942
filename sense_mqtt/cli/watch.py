"""A live table of a house, from what its topics say."""

import json
import math
from collections import deque
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sense_mqtt.clock import Clock
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import BrokerDropped, MessageArrived
from sense_mqtt.mqtt.client import MqttClient

EVENTS_SHOWN = 8
REFRESH_S = 0.25
RECONNECT_S = 1.0  # before the broker is tried again
HOUSE = {
    "power": ("House", "W"),
    "solar_power": ("Solar", "W"),
    "grid_power": ("Grid", "W"),
    "solar_share": ("Solar share", "%"),
}


@dataclass(slots=True)
class LiveTable:
    """What was heard last on each topic, and the last events."""

    # "<monitor>" or "<monitor>/<device>" -> key -> text
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    events: deque[str] = field(default_factory=lambda: deque(maxlen=EVENTS_SHOWN))

    def add_message(self, topic: str, payload: str) -> None:
        """Take in one message."""
        match topic.split("/")[-5:]:
            case [*_, "device", _, "event"]:
                self.events.appendleft(_describe_event(payload))
            case [*_, monitor, "device", device, key]:
                self._keep(f"{monitor}/{device}", key, payload)
            case [*_, monitor, key] if monitor.isdigit():
                self._keep(monitor, key, payload)

    def _keep(self, subject: str, key: str, payload: str) -> None:
        values = self.values.setdefault(subject, {})
        values.pop(key, None)
        if payload:  # an empty one clears the topic: the device is gone
            values[key] = payload


def watch(
    heard: Inbox, listener: MqttClient, console: Console, heading: str, clock: Clock, seconds: float | None = None
) -> None:
    """Show a table that lives, until the time is over or Ctrl-C."""
    begun = clock.now().monotonic
    board, ends, open_at = LiveTable(), math.inf if seconds is None else begun + seconds, begun
    try:
        with Live(draw(board, heading), console=console, refresh_per_second=4) as live:
            while (now := clock.now().monotonic) < ends:
                if now >= open_at:
                    listener.open()
                    open_at = math.inf
                match heard.get(REFRESH_S):
                    case MessageArrived(topic=topic, payload=payload):
                        board.add_message(topic, payload.decode(errors="replace"))
                    case BrokerDropped(connection_id=connection_id) if connection_id == listener.connection_id:
                        open_at = now + RECONNECT_S
                live.update(draw(board, heading))
    finally:
        listener.close()


def draw(board: LiveTable, heading: str) -> Group:
    """Return the table as it is now."""
    return Group(Text(heading, style="bold"), _draw_houses(board), _draw_devices(board), _draw_events(board))


def _draw_houses(board: LiveTable) -> Text:
    lines = [
        "   ".join(f"{name} {values[key]} {unit}" for key, (name, unit) in HOUSE.items() if key in values)
        for house, values in sorted(board.values.items())
        if "/" not in house
    ]
    return Text("\n".join(lines))


def _draw_devices(board: LiveTable) -> Table:
    table = Table("Device", "", "W", expand=False)
    table.columns[2].justify = "right"
    rows = [values for subject, values in board.values.items() if "/" in subject and "power" in values]
    for values in sorted(rows, key=_watts, reverse=True):
        state = values.get("state", "")
        table.add_row(_name(values), state, values["power"], style="bold green" if state == "ON" else None)
    return table


def _draw_events(board: LiveTable) -> Text:
    return Text("\n".join(["Last events", *board.events]))


def _watts(values: dict[str, str]) -> float:
    try:
        return float(values["power"])
    except ValueError:
        return 0.0


def _name(values: dict[str, str]) -> str:
    return str(_read_object(values.get("attributes", "")).get("name", "?"))


def _describe_event(payload: str) -> str:
    event = _read_object(payload)
    told = " ".join(str(event.get(key, "")) for key in ("time", "name", "event_type"))
    lasted = f", {event['duration_s']:.0f} s" if isinstance(event.get("duration_s"), int | float) else ""
    return f"  {told}{lasted}"


def _read_object(payload: str) -> dict[str, object]:
    try:
        document = json.loads(payload)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
