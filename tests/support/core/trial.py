"""Days of a simulated house beside the pure core, with all that a bridge meets: the truth of every kWh is known.

Frames, gaps, Sense's hours as it finishes them, restarts and kills; no thread, no socket, no real time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from sense_mqtt.core.capabilities import all_queries
from sense_mqtt.core.changes import Change, Reading
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, Policy, QueryResult, Tick
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.stored_home import must_store, restore, snapshot
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import RealtimeUpdate, read_update
from sense_mqtt.errors import NotFound, SenseMqttError
from sense_mqtt.sense.auth.tokens import Account, Monitor
from sense_mqtt.sense.rest_queries.lookups import Lookups
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.house.model import House, HousePower
from sense_mqtt.simulator.house.relabelled import RelabelledHouse
from sense_mqtt.simulator.house.stepped import SLOT_S, SteppedHouse
from sense_mqtt.simulator.payloads import rest
from sense_mqtt.simulator.payloads.devices import device_list
from sense_mqtt.simulator.payloads.frames import FrameMaker
from sense_mqtt.simulator.payloads.history import History, Unfinished
from sense_mqtt.simulator.payloads.periods import parse
from tests.support.core.true_energy import Meter, TrueEnergy

MONITOR = 7
ZONE = "America/New_York"
STREAM = Policy(lambda _: DeviceRules(off_delay_s=2.0))
POLLS = replace(STREAM, stale_after_s=150.0)  # one each minute: as assembly.py says
REPEAT_S = 60.0  # a query is not read again sooner (bridge/scheduler.py)
CONSUMPTION, PRODUCTION, FROM_GRID, TO_GRID = "consumption_kwh", "production_kwh", "from_grid_kwh", "to_grid_kwh"


@dataclass(frozen=True, slots=True)
class Message:
    """One reading as it was published."""

    at: float  # house time, unix seconds
    value: Mapping[str, Any]


@dataclass(slots=True)
class _Session:
    """Answers REST calls out of the simulated history, as the cloud does."""

    trial: "Trial"
    asked: list[str] = field(default_factory=list)

    def account(self) -> Account:
        return Account(1, (self.trial.info,))

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:
        trial, query = self.trial, {key: str(value) for key, value in (params or {}).items()}
        self.asked.append(path)
        match path.rpartition(f"{MONITOR}/")[2]:
            case "history/usage":
                return trial.history.usage(query["scale"], parse(query["start"]), trial.now)
            case "history/usage/solar":
                return trial.history.solar(query["scale"], parse(query["start"]), trial.now)
            case "status":
                return rest.status(MONITOR, online=True, firmware=rest.FIRMWARE)
            case other:
                raise NotFound(other)


@dataclass(frozen=True, slots=True)
class _Clock:
    trial: "Trial"

    def now(self) -> Moment:
        return self.trial.moment()


class Trial:
    """A house, what the core knows of it, all that was published, and the truth."""

    def __init__(
        self,
        begins: float,
        *,
        house: House | None = None,
        frame_s: float = SLOT_S,
        unfinished: Unfinished = "spiky",
    ) -> None:
        self.house = RelabelledHouse(house or SteppedHouse(BuiltInHouse(begins=begins)))
        self.info = Monitor(MONITOR, ZONE, solar=self.house.power_at(begins).solar_w is not None)
        self.history = History(self.house, ZoneInfo(ZONE), unfinished=unfinished)
        self.frames = FrameMaker(self.house)
        self.now = self.begins = begins
        self.frame_s, self.policy = frame_s, STREAM
        self._step_s = min(frame_s, SLOT_S)
        self.home = Home(MONITOR, solar=self.info.solar)
        self.messages: dict[tuple[str | None, str], list[Message]] = defaultdict(list)
        self.events: list[tuple[float, Change]] = []
        self.gaps: list[tuple[float, float]] = []  # in which no frame came
        self.kills: list[float] = []
        self.calls = Counter[str]()  # to Sense, by capability
        self.session = _Session(self)
        self._lookups = Lookups(_Clock(self))
        self._earliest: dict[tuple[str, str], float] = {}
        self._stored = snapshot(self.home)
        self._energy = TrueEnergy()
        self.list_devices()

    def moment(self) -> Moment:
        return Moment(self.now, self.now - self.begins + 1000.0)

    # --- what happens

    def run(self, seconds: float) -> None:
        """Let frames come, and read from Sense what is due."""
        for _ in self._slots(seconds):
            if (self.now - self.begins) % self.frame_s == 0:
                self.observe(self.update())
                self.look()

    def look(self) -> None:
        """Let time have its effect, and read from Sense what is due."""
        self.observe(Tick())
        self.read_due()

    def poll(self) -> None:
        """Let frames come once a minute from now on, without the time at which they were measured."""
        self.frame_s, self.policy = 60.0, POLLS

    def outage(self, seconds: float) -> None:
        """Nothing comes, neither frames nor answers, as where the internet is away."""
        self.observe(Interrupted())
        for _ in self._gap(seconds):
            self.observe(Tick())

    def silence(self, seconds: float) -> None:
        """No frame comes, as where the feed is down; Sense answers."""
        self.observe(Interrupted())
        for _ in self._gap(seconds):
            self.observe(Tick())
            self.read_due()

    def restart(self, *, killed: bool, away_s: float = 0.0) -> None:
        """Begin a new process, with what the one before has stored; `killed`: with nothing stored at its end."""
        if killed:
            self.kills.append(self.now)
        else:
            self.observe(Interrupted())
        rows = self._stored if killed else snapshot(self.home)
        for _ in self._gap(away_s):
            pass
        self.home = restore(MONITOR, rows, self.policy)
        self._earliest.clear()
        self._stored = rows
        self.observe(Tick())
        self.list_devices()

    def list_devices(self) -> None:
        rows = device_list(self.house.devices, solar=self.info.solar, include_merged=False)
        self.observe(DevicesListed(read_device_list(rows)))

    def _gap(self, seconds: float) -> Iterator[None]:
        self.gaps.append((self.now, self.now + seconds))
        return self._slots(seconds)

    def _slots(self, seconds: float) -> Iterator[None]:
        until = self.now + seconds
        while self.now < until:
            after = self.now + self._step_s
            for at in self.changes(self.now, after):
                self._energy.note(at, self._watts(self.house.power_at(at)))
            self.now = after
            yield

    def changes(self, since: float, until: float) -> Sequence[float]:
        """Return when the house may draw something else, `since` <= s UTC < `until`."""
        return (since, *self.house.switch_schedule.step_times(since, until))

    def update(self) -> RealtimeUpdate:
        """Return the frame of now."""
        is_polled = self.policy is POLLS
        return read_update(self.frames.polled(self.now) if is_polled else self.frames.realtime(self.now))

    def observe(self, seen: Seen) -> None:
        before = self.home
        self.home, changes = observe(before, seen, self.moment(), self.policy)
        if must_store(before, self.home, changes):
            self._stored = snapshot(self.home)
        self.keep(changes)

    def keep(self, changes: Sequence[Change]) -> None:
        """Keep what is published."""
        for change in changes:
            if isinstance(change, Reading) and isinstance(change.value, dict):
                self.messages[change.device, change.key].append(Message(self.now, change.value))
            elif not isinstance(change, Reading):
                self.events.append((self.now, change))

    def read_due(self) -> None:
        now = self.moment()
        for capability, name, query in list(all_queries(self.home, now, self.policy)):
            if query.due <= now.monotonic and self._earliest.get((capability, name), 0.0) <= now.monotonic:
                self._earliest[capability, name] = now.monotonic + REPEAT_S
                asked = len(self.session.asked)
                try:
                    result = self._lookups.run_query(self.info, query)(self.session)
                except SenseMqttError:
                    continue
                finally:
                    self.calls[capability] += len(self.session.asked) - asked
                self.observe(QueryResult(capability, name, result))

    # --- the truth

    def _watts(self, power: HousePower) -> dict[Meter, float]:
        net_w = power.w - (power.solar_w or 0.0)
        shared_w = sum(listed.device.ao_w for listed in power.devices)
        watts: dict[Meter, float] = {
            (None, CONSUMPTION): power.w,
            (None, PRODUCTION): max(power.solar_w or 0.0, 0.0),
            (None, FROM_GRID): max(net_w, 0.0),
            (None, TO_GRID): max(-net_w, 0.0),
            ("always_on", CONSUMPTION): power.always_on_w - shared_w,
            ("unknown", CONSUMPTION): power.other_w,
        }
        for listed in power.devices:
            counter = (self.home.id_of(listed.device.id), CONSUMPTION)
            watts[counter] = watts.get(counter, 0.0) + listed.w
        return watts

    def truth(self, device: str | None, figure: str, since: float, until: float) -> float:
        """Return the kWh that was truly used between both."""
        return self._energy.kwh((device, figure), since, until)
