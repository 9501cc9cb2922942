"""What an event costs the disk: bytes and syncs of the journal, with 8, 20 and 40 devices, and on a day of a house.

    python bench/disk.py [EVENTS]
    python bench/disk.py day

One home whose devices switch in turn, once a minute; each event is recorded, acknowledged and forgotten. The bytes
are those that the process gave the kernel (/proc/self/io); syncs are counted by strace, where it is installed.
The day is one of the simulated house, a frame each second, stored as the bridge does, meters and cycles too; what
Sense answers to queries is not in it. It takes two minutes.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sense_mqtt.core.changes import Event
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.observe import observe
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.stored_home import must_store, must_sync, snapshot, snapshot_progress
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import read_update
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.payloads.frames import FrameMaker
from sense_mqtt.store.journal import Journal

BEGINS = 1_795_000_000.0
DEVICES = (8, 20, 40)
EVENTS_A_DAY, DAY_S = 1000, 86_400
ALWAYS_ON = {"id": "always_on", "name": "Always On", "w": 250.0}
PAYLOAD = "x" * 250  # the document of an event


def homes(devices: int, events: int) -> Iterator[Home]:
    """Yield the home after each event."""
    policy = Policy(lambda _: DeviceRules(off_delay_s=0.0))
    home, running = Home(monitor=7), set(range(devices))
    for number in range(events):
        running ^= {number % devices}
        rows = [{"id": f"{each:08x}", "name": f"Device {each}", "icon": "home", "w": 100.0} for each in sorted(running)]
        update = read_update({"w": 9e3, "devices": [*rows, ALWAYS_ON], "epoch": BEGINS + 60 * number})
        home, _ = observe(home, update, Moment(BEGINS + 60 * number, 60.0 * number), policy)
        yield home


def written() -> int:
    """Return the bytes that this process has written."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("wchar")))


def record_all(devices: int, events: int) -> float:
    """Return the bytes an event, over so many events."""
    with tempfile.TemporaryDirectory() as folder:
        journal, before = Journal(Path(folder) / "journal.sqlite3"), written()
        for home in homes(devices, events):
            journal.record(7, snapshot(home), [("sense/7/device/00000001/event", PAYLOAD)])
            journal.forget([journal.newest])
        journal.close()
        return (written() - before) / events


def count_syncs(devices: int, events: int) -> str:
    """Return the syncs an event, those of opening and closing the file included."""
    if not shutil.which("strace"):
        return "-"
    command = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", sys.executable, __file__]
    report = subprocess.run([*command, str(events), str(devices)], capture_output=True, text=True, check=True).stderr
    calls = [line.split()[3] for line in report.splitlines() if line.split()[-1:] in (["fsync"], ["fdatasync"])]
    return f"{sum(map(int, calls)) / events:.2f}"


class Day:
    """A day of the simulated house, stored as the bridge stores it."""

    def __init__(self, journal: Journal) -> None:
        self.events = self.synced = self.progress = 0
        self._journal = journal
        self._home = Home(monitor=7)
        self._policy = Policy(lambda _: DeviceRules(off_delay_s=2.0))

    def run(self) -> None:
        frames = FrameMaker(BuiltInHouse(seed=1, begins=BEGINS))
        for second in range(DAY_S):
            at = BEGINS + second
            update = read_update(frames.realtime(at))
            before = self._home
            self._home, changes = observe(before, update, Moment(at, float(second)), self._policy)
            if not must_store(before, self._home, changes):
                continue
            if not must_sync(before, self._home, changes):
                self.progress += 1
                self._journal.record_progress(7, snapshot_progress(self._home, changes))
                continue
            events = [change for change in changes if isinstance(change, Event)]
            messages = to_messages(events, HomeTopics(Topics(), 7, self._home.topic_ids))
            self.events, self.synced = self.events + len(events), self.synced + 1
            self._journal.record(7, snapshot(self._home), [(each.topic, each.payload) for each in messages])
            self._journal.forget([entry.number for entry in self._journal.waiting(0, len(messages))])


def tell_day() -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal, before = Journal(Path(folder) / "journal.sqlite3"), written()
        day = Day(journal)
        day.run()
        journal.close()
        figures = f"{day.events} events in {day.synced} synced writes, {day.progress} others"
        print(f"a day of the simulated house: {(written() - before) / 1e6:.1f} MB; {figures}")


def main(events: int) -> None:
    for devices in DEVICES:
        each = record_all(devices, events)
        ratio, syncs = each / len(PAYLOAD), count_syncs(devices, events)
        day_mb = each * EVENTS_A_DAY / 1e6
        print(
            f"{devices:3} devices: {each:6.0f} bytes an event ({ratio:.0f} times its document), {syncs} syncs,", end=" "
        )
        print(f"{day_mb:.1f} MB a day of {EVENTS_A_DAY} events")


if __name__ == "__main__":
    if sys.argv[1:] == ["day"]:
        sys.exit(tell_day())
    arguments = [int(argument) for argument in sys.argv[1:]]
    if len(arguments) == 2:
        record_all(arguments[1], arguments[0])
    else:
        main(*arguments or [1000])
