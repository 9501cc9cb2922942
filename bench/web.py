"""What open browsers cost the bridge: CPU of its process with none and with fifty of them, and how soon events come.

A simulated house of thirty devices, a real Mosquitto and the browsers (plain readers of the stream) are beside the
bridge's process. Rounds with and without browsers take turns, so that neighbours disturb both alike. Run by hand:
`.venv/bin/python bench/web.py [BROWSERS]`. Linux only: it reads /proc.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from busy_house import BusyHouse

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto, free_port
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess

BROWSERS = 50
ROUNDS = 6
ROUND_S = 10.0
SETTLE_S = 5.0  # after the browsers came: what they are told at first is no part of it
AIM_PERCENT = 5.0
REQUEST = b"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def main() -> int:
    browsers = int(sys.argv[1]) if len(sys.argv) > 1 else BROWSERS
    if find_mosquitto() is None:
        print(HOW_TO_GET_IT)
        return 1
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        SimulatedCloud(BusyHouse(), speed=1) as cloud,
        BridgeProcess(Path(folder), configure(cloud, broker.port, web={"enabled": True, "port": port})) as bridge,
        Listener(broker.port, "sense/+/device/+/event") as listener,
    ):
        time.sleep(SETTLE_S)
        alone, watched, arrivals = asyncio.run(measure(bridge.pid, port, browsers))
        heard = [json.loads(message.payload)["id"] for message in listener.messages()]
    return tell(browsers, alone, watched, arrivals, len(heard))


async def measure(pid: int, port: int, browsers: int) -> tuple[list[float], list[float], list[list[float]]]:
    """Return CPU (% of a core) of each round without and with browsers, and when each event came to each browser."""
    alone, watched, arrivals = [], [], dict[str, list[float]]()
    for _ in range(ROUNDS):
        alone.append(await cpu_percent(pid))
        tasks = [asyncio.create_task(browse(port, arrivals)) for _ in range(browsers)]
        await asyncio.sleep(SETTLE_S)
        watched.append(await cpu_percent(pid))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(1)
    return alone, watched, [times for times in arrivals.values() if len(times) == browsers]


async def cpu_percent(pid: int) -> float:
    begun, before = time.monotonic(), cpu_s(pid)
    await asyncio.sleep(ROUND_S)
    return 100 * (cpu_s(pid) - before) / (time.monotonic() - begun)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def browse(port: int, arrivals: dict[str, list[float]]) -> None:
    """Read the stream as a browser does, and note when each event came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=10_000_000)
    try:
        writer.write(REQUEST)
        name = b""
        while line := await reader.readline():
            if line.startswith(b"event: "):
                name = line[7:].strip()
            elif line.startswith(b"data: ") and name == b"event":
                for event in json.loads(line[6:]):
                    arrivals.setdefault(event["id"], []).append(time.monotonic())
    finally:
        writer.close()


def tell(browsers: int, alone: list[float], watched: list[float], arrivals: list[list[float]], heard: int) -> int:
    differences = [with_them - without for without, with_them in zip(alone, watched, strict=True)]
    cost = statistics.median(differences)
    print(f"CPU of the bridge, % of a core, {ROUNDS} rounds of {ROUND_S:.0f} s each, in turn")
    print(f"  without browsers   {', '.join(f'{each:.1f}' for each in alone)}")
    print(f"  with {browsers:3d} browsers  {', '.join(f'{each:.1f}' for each in watched)}")
    print(f"  their cost, median {cost:.1f} (aim: less than {AIM_PERCENT:.0f})")
    if arrivals:
        spread = max(max(times) - min(times) for times in arrivals) * 1000
        print(f"  {len(arrivals)} events ({heard} on MQTT); from the first to the last browser at most {spread:.0f} ms")
    return 0 if cost < AIM_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
