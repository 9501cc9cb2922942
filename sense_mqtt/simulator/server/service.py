"""All that the simulated servers know, shared by REST and feed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sense_mqtt.simulator.payloads.rest import FIRMWARE, OLD_FIRMWARE, Body, monitor_entry
from sense_mqtt.simulator.server.accounts import SimulatedAccount
from sense_mqtt.simulator.server.faults import Faults
from sense_mqtt.simulator.server.monitor import SimulatedMonitor
from sense_mqtt.simulator.server.request_log import RequestLog


@dataclass(slots=True)
class SimulatedService:
    """The account, its monitors, and how they misbehave at present."""

    account: SimulatedAccount
    faults: Faults
    records: RequestLog
    wall: Callable[[], float]  # the cloud's own wall clock, wrong by `faults.clock_offset_s`
    monitors: dict[int, SimulatedMonitor] = field(default_factory=dict)
    socket_life_s: float = 900.0  # Sense drops a socket after about 15 minutes
    poll_step_s: float = 0.0  # house seconds that pass with each realtime_update, for pollers in free or manual pace
    api_url: str = ""
    feed_url: str = ""

    def monitor(self, number: str) -> SimulatedMonitor | None:
        """Return the account's monitor of that id; None where it is unknown, or another account's."""
        return self.monitors.get(int(number)) if number.isdecimal() else None

    def entries(self) -> list[Body]:
        return [
            monitor_entry(monitor.id, monitor.zone.key, solar=monitor.has_solar(), cycle_day=monitor.history.cycle_day)
            for monitor in self.monitors.values()
        ]

    @property
    def firmware(self) -> str:
        return OLD_FIRMWARE if self.faults.old_firmware else FIRMWARE
