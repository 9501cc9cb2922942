"""A live table of a house, from what its topics say."""

import io
import math
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import IO

from msgspec import Struct, field
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sense_mqtt.cli.listening import Listening
from sense_mqtt.clock import Clock
from sense_mqtt.core.payloads import read_object
from sense_mqtt.core.plain_text import escape_hidden
from sense_mqtt.core.timestamps import read_timestamp, to_datetime
from sense_mqtt.errors import ConfigError, SenseMqttError
from sense_mqtt.items import BrokerConnected, BrokerDropped, MessageArrived
from sense_mqtt.mqtt.client import CREDENTIALS_REFUSED

EVENTS_SHOWN = 8
REFRESH_S = 0.25
SVG_WIDTH = 72  # characters
RECONNECT_S = 1.0  # before the broker is tried again
HOUSE = {
    "power": ("House", "W"),
    "solar_power": ("Solar", "W"),
    "grid_power": ("Grid", "W"),
    "solar_share": ("Solar share", "%"),
}


class LiveTable(Struct):
    """What was heard last on each topic, and the last events."""

    # "<monitor>" or "<monitor>/<device>" -> key -> text
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    events: deque[str] = field(default_factory=lambda: deque(maxlen=EVENTS_SHOWN))
    trouble: str | None = None  # why there is no connection
    was_connected: bool = False
    event_count: int = 0
    zone: tzinfo | None = None  # of the times of events; None: that of this machine

    def add_message(self, topic: str, payload: str) -> None:
        """Take in one message."""
        match topic.split("/")[-5:]:
            case [*_, "device", _, "event"]:
                self.events.appendleft(_describe_event(payload, self.zone))
                self.event_count += 1
            case [*_, monitor, "device", device, key]:
                self._keep(f"{monitor}/{device}", key, payload)
            case [*_, monitor, key] if monitor.isdigit():
                self._keep(monitor, key, payload)

    def disconnected(self, dropped: BrokerDropped, place: str) -> None:
        """Take in why there is no connection. Raises ConfigError where the broker never took the user."""
        self.trouble = dropped.reason
        # One that took it before may only be starting, without its list of users yet.
        if dropped.code in CREDENTIALS_REFUSED and not self.was_connected:
            raise ConfigError(f"{place}: no connection to the MQTT broker: {dropped.reason}")

    def _keep(self, subject: str, key: str, payload: str) -> None:
        values = self.values.setdefault(subject, {})
        values.pop(key, None)
        if payload:  # an empty one clears the topic: the device is gone
            values[key] = payload


def watch(
    listening: Listening,
    console: Console,
    heading: str,
    clock: Clock,
    seconds: float | None = None,
    board: LiveTable | None = None,
) -> LiveTable:
    """Show a table that lives, until the time is over or Ctrl-C; return it as it was last.

    Raises SenseMqttError where there never was a connection; ConfigError at once where the broker refuses the user.
    """
    board = board or LiveTable()
    try:
        with _shown(board, console, heading) as show:
            _follow(listening, board, clock, math.inf if seconds is None else seconds, show)
    except KeyboardInterrupt:
        return board  # how a person ends it
    finally:
        listening.client.close()
    if board.trouble and not board.was_connected:
        raise SenseMqttError(f"{listening.place}: no connection to the MQTT broker: {board.trouble}")
    return board


def _follow(listening: Listening, board: LiveTable, clock: Clock, seconds: float, show: Callable[[], None]) -> None:
    """Take in what is heard, connecting where needed, until the time is over."""
    client, open_at = listening.client, -math.inf
    ends = clock.now().monotonic + seconds
    while (now := clock.now().monotonic) < ends:
        if now >= open_at:
            client.open()
            open_at = math.inf
        match listening.heard.get(REFRESH_S):
            case MessageArrived(topic=topic, payload=payload):
                board.add_message(topic, payload.decode(errors="replace"))
            case BrokerDropped(connection_id=number) as dropped if number == client.connection_id:
                open_at = now + RECONNECT_S
                board.disconnected(dropped, listening.place)
            case BrokerConnected():
                board.trouble, board.was_connected = None, True
        show()


@contextmanager
def _shown(board: LiveTable, console: Console, heading: str) -> Iterator[Callable[[], None]]:
    """Give what shows the table as it is now: call it after each change.

    In a pipe or a file each event is a line, written when it comes, and the table follows at the end.
    """
    if console.is_terminal:
        with Live(draw(board, heading), console=console, refresh_per_second=4) as live:
            yield lambda: live.update(draw(board, heading))
        return
    lines = _Lines(board, console.file)
    print(heading, file=console.file, flush=True)  # not by rich, which ends the process where the pipe is closed
    try:
        yield lines.show
    except KeyboardInterrupt:
        _write_table(board, console)
        raise
    _write_table(board, console)


def _write_table(board: LiveTable, console: Console) -> None:
    with console.capture() as table:
        console.print(draw(board, ""))
    print(table.get(), end="", file=console.file, flush=True)


class _Lines(Struct):
    """Writes each event once."""

    board: LiveTable
    file: IO[str]
    written: int = 0  # events

    def show(self) -> None:
        if self.written != self.board.event_count:
            self.written = self.board.event_count
            print(escape_hidden(self.board.events[0]), file=self.file, flush=True)


def write_svg(file: Path, board: LiveTable, heading: str) -> None:
    """Write a picture of the table. Raises ConfigError where the file cannot be written."""
    console = Console(record=True, width=SVG_WIDTH, file=io.StringIO())
    console.print(draw(board, heading))
    picture = console.export_svg(title="sense-mqtt watch")
    try:
        # Rich names fonts of another host, which whoever looks at the picture would ask.
        file.write_text(re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written ({error.strerror}); name another file") from error


def draw(board: LiveTable, heading: str) -> Group:
    """Return the table as it is now."""
    trouble = [Text(f"no connection to the MQTT broker: {board.trouble}", style="bold red")] if board.trouble else []
    parts = (_draw_houses(board), _draw_devices(board), _draw_events(board))
    return Group(Text(heading, style="bold"), *trouble, *parts)


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
    return str(read_object(values.get("attributes", "")).get("name", "?"))


def _describe_event(payload: str, zone: tzinfo | None) -> str:
    event = read_object(payload)
    told = " ".join(
        [_local_time(event.get("time"), zone), *(str(event.get(key, "")) for key in ("name", "event_type"))]
    )
    lasted = f", {event['duration_s']:.0f} s" if isinstance(event.get("duration_s"), int | float) else ""
    return f"  {told}{lasted}"


def _local_time(text: object, zone: tzinfo | None) -> str:
    seconds = read_timestamp(text)
    if seconds is None:
        return str(text or "")
    return to_datetime(seconds).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
