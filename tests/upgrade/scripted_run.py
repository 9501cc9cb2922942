"""A scripted run of the whole bridge: everything that makes messages happens at least once, at fixed times.

`record()` returns each MQTT message in order. `python -m tests.upgrade.scripted_run` writes them to
`recording.txt`: do so only where topics, payloads or their order are meant to change, and read the difference.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.bridge.bridge_harness import BridgeHarness
from tests.support.core.builders import KETTLE
from tests.upgrade.episodes import (
    DEVICES,
    FIRST_PROCESS,
    HOMES,
    LISTED,
    USAGE,
    go_on_after_a_restart,
    live_with_another_configuration,
)

RECORDING = Path(__file__).parent / "recording.txt"
CHANGES = {  # what differs between two machines or two versions, and is not what is recorded
    r'"rss_mb":[0-9.]+': '"rss_mb":0',
    r'"version":"[^"]*"': '"version":"0"',
    r'"sw_version":"0\.[^"]*"': '"sw_version":"0"',
    r'"sw":"[^"]*"': '"sw":"0"',
    r'"state_dir":"[^"]*"': '"state_dir":"."',
}
OTHER_CONFIG: dict[str, Any] = {
    "home_assistant": {"discovery": "single"},
    "publish": {"house_interval_s": 1, "device_interval_s": 1},
    "devices": {
        KETTLE["id"]: {"name": "Tea", "on_delay_s": 2, "off_delay_s": 2},
        "TV": {"name": "Television"},
    },
}


def record() -> str:
    """Return all messages, one a line, under a heading for each process."""
    payloads: dict[str, str] = {}  # the one before, by topic
    with tempfile.TemporaryDirectory() as folder:
        lines: list[str] = []
        for heading, messages in _run(Path(folder)):
            lines += [f"# {heading}", *(_line(message, payloads) for message in messages)]
    return "\n".join(lines) + "\n"


def _line(message: Any, payloads: dict[str, str]) -> str:
    payload = message.payload
    for pattern, shown in CHANGES.items():
        payload = re.sub(pattern, shown, payload)
    is_same, payloads[message.topic] = payloads.get(message.topic) == payload, payload
    kind = "retained" if message.retain else "        "
    correlation = f" correlation={message.correlation!r}" if message.correlation else ""
    return f"{kind} {message.topic}{correlation} {'(as before)' if is_same else payload}"


def _run(folder: Path) -> Iterator[tuple[str, list[Any]]]:
    bridge = BridgeHarness(folder, *HOMES)
    bridge.session.responses.update(
        {DEVICES: LISTED, "app/monitors/8/devices": [], "app/monitors/7/history/usage": USAGE}
    )
    for episode in FIRST_PROCESS:
        episode(bridge)
    yield "the first process, which is killed while an event waits", bridge.broker.published
    bridge.restart()
    go_on_after_a_restart(bridge)
    yield "the second process, of the same state directory", bridge.broker.published
    another = BridgeHarness(folder, HOMES[0], **OTHER_CONFIG)
    another.clock.after_s = bridge.clock.after_s
    live_with_another_configuration(another)
    yield "the third process, with another configuration and one monitor less", another.broker.published


if __name__ == "__main__":
    RECORDING.write_text(record())
