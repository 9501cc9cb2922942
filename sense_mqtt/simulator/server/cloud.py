"""The simulated Sense cloud: REST and realtime feed on one port, in a thread of its own.

    with SimulatedCloud(BuiltInHouse(seed=1), clock_mode="free", until=BEGINS) as cloud:
        connect(cloud.api_url, cloud.feed_url, cloud.email, cloud.password)
        cloud.records.wait(lambda counts: counts.sockets_open == 1)  # what the cloud saw
        cloud.run_until(BEGINS + 600)                       # ten minutes of the house, as fast as they are read
        cloud.faults.refuse(503, path="devices", times=3)   # misbehave
        cloud.drop_sockets()
        cloud.outage(90)                                    # 90 s of the house that nobody sees
        cloud.house.transitions(BEGINS, cloud.now)          # the true transitions

Clock mode: "real" runs with the wall clock, `speed` times as fast, with or without clients. "free" sends frames back to
back, as fast as they are read; the house's clock stands while no socket is open. "manual" moves only by `advance`
(which returns when all is read) and `outage`.
House time (epoch, timeline, history) and wall time (tokens, limits) differ.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Self
from zoneinfo import ZoneInfo

from aiohttp import web

from sense_mqtt.simulator.house.model import House
from sense_mqtt.simulator.payloads.frames import Payload
from sense_mqtt.simulator.payloads.history import Unfinished
from sense_mqtt.simulator.payloads.timeline import TimelineSettings
from sense_mqtt.simulator.server.accounts import AccountRules, SimulatedAccount
from sense_mqtt.simulator.server.clock_driver import ClockDriver, ClockMode
from sense_mqtt.simulator.server.faults import Faults
from sense_mqtt.simulator.server.feed import serve_feed
from sense_mqtt.simulator.server.middleware import API, request_middleware
from sense_mqtt.simulator.server.monitor import GOING_AWAY, SimulatedMonitor
from sense_mqtt.simulator.server.request_log import RequestLog
from sense_mqtt.simulator.server.rest import routes
from sense_mqtt.simulator.server.service import SimulatedService
from sense_mqtt.simulator.server.thread import ServerThread

EMAIL, PASSWORD = "demo@example.com", "a made-up password & more+%"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - of the demo account
FIRST_MONITOR = 900_101
CALL_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """How the simulated cloud runs, and its one account."""

    clock_mode: ClockMode = "real"
    speed: float = 1.0  # house seconds per wall second; in real mode
    step_s: float = 0.5  # house seconds from one frame to the next
    until: float | None = None  # house time at which the clocks stop at first; None: where the house ends
    host: str = "127.0.0.1"
    port: int = 0  # 0: a free one
    email: str = EMAIL
    password: str = field(default=PASSWORD, repr=False)
    totp_secret: str = field(default=TOTP_SECRET, repr=False)
    token_life_s: float = 86_400.0
    mfa: bool = False
    socket_life_s: float = 900.0  # wall seconds after which a socket is dropped
    poll_step_s: float = 0.0  # house seconds that pass with each `realtime_update`, for pollers in free and manual mode
    time_zone: str = "America/New_York"
    cycle_day: int = 15  # of the month, on which the billing cycle begins
    unfinished: Unfinished = "partial"  # what the history says of the hour that is not finished
    tls: ssl.SSLContext | None = None
    wall: Callable[[], float] = time.time


class SimulatedCloud:
    """Sense's servers with one account. Everything may be used from any thread; start and stop may be repeated."""

    def __init__(self, house: House, *more_houses: House, **settings: Any) -> None:
        """Each house becomes a monitor (900101, 900102, ...). `settings` are fields of CloudSettings."""
        chosen = CloudSettings(**settings)
        self.faults, self.records = Faults(), RequestLog()
        self.account = SimulatedAccount(chosen.email, chosen.password, chosen.totp_secret, self._wall)
        self.account.rules.token_life_s, self.account.rules.mfa = chosen.token_life_s, chosen.mfa
        self.service = SimulatedService(self.account, self.faults, self.records, self._wall)
        self.service.socket_life_s, self.service.poll_step_s = chosen.socket_life_s, chosen.poll_step_s
        self._settings = chosen
        self._server = ServerThread(
            lambda: _application(self.service), self._drive, chosen.host, chosen.port, chosen.tls
        )
        self._drivers: dict[int, ClockDriver] = {}
        for number, each in enumerate((house, *more_houses), FIRST_MONITOR):
            self._add_monitor(number, each)

    def _add_monitor(self, number: int, house: House) -> None:
        chosen, zone = self._settings, ZoneInfo(self._settings.time_zone)
        monitor = SimulatedMonitor(number, house, self.account.user_id, zone, self.faults, self.records)
        monitor.history.cycle_day, monitor.history.unfinished = chosen.cycle_day, chosen.unfinished
        self.service.monitors[number] = monitor
        until = house.ends if chosen.until is None else chosen.until
        self._drivers[number] = ClockDriver(
            monitor, chosen.clock_mode, step_s=chosen.step_s, speed=chosen.speed, until=until
        )

    # --- what a client is told

    @property
    def api_url(self) -> str:
        return f"http{self._server.secured}://{self._server.address}{API}"

    @property
    def feed_url(self) -> str:
        return f"ws{self._server.secured}://{self._server.address}"

    @property
    def email(self) -> str:
        return self.account.email

    @property
    def password(self) -> str:
        return self.account.password

    @property
    def totp_secret(self) -> str:
        return self.account.totp_secret

    @property
    def rules(self) -> AccountRules:
        """How strict the account is."""
        return self.account.rules

    @property
    def monitors(self) -> Sequence[SimulatedMonitor]:
        return tuple(self.service.monitors.values())

    @property
    def monitor(self) -> SimulatedMonitor:
        """The first monitor."""
        return self.monitors[0]

    @property
    def house(self) -> House:
        return self.monitor.house

    @property
    def timeline_settings(self) -> TimelineSettings:
        return self.monitor.timeline.rules

    @property
    def now(self) -> float:
        """The first house's clock."""
        return self.monitor.now

    # --- moving on

    def advance(self, seconds: float, *, timeout_s: float = CALL_TIMEOUT_S) -> None:
        """Make the frames of the next seconds in all houses; returns when every socket has read them."""
        self._server.call(lambda: _together(driver.advance(seconds) for driver in self._drivers.values()), timeout_s)

    def run_until(self, at: float, *, timeout_s: float = CALL_TIMEOUT_S) -> bool:
        """Let the clocks go on up to `at`; returns when all that was sent is read. False when it was not in time."""
        if self._settings.clock_mode == "manual":
            self.advance(at - self.now, timeout_s=timeout_s)
            return True
        for driver in self._drivers.values():
            driver.until = at
        arrived = self.monitor.wait_until(min(at, self.house.ends) - self._settings.step_s + 1e-6, timeout_s)
        self._server.call(lambda: _together(monitor.wait_until_read() for monitor in self.monitors), timeout_s)
        return arrived

    def outage(self, house_seconds: float = 0.0, *, abort: bool = False) -> None:
        """Drop all sockets and let house time pass that no frame tells of."""

        async def drop() -> None:
            for monitor in self.monitors:
                _drop_all(monitor, GOING_AWAY, abort=abort)
                monitor.skip(house_seconds)

        self._server.call(drop, CALL_TIMEOUT_S)

    def drop_sockets(self, *, code: int = GOING_AWAY, abort: bool = False) -> None:
        """Close all sockets now: in good order behind all that was sent, or cut (`abort`)."""

        async def drop() -> None:
            for monitor in self.monitors:
                _drop_all(monitor, code, abort=abort)

        self._server.call(drop, CALL_TIMEOUT_S)

    def push(self, kind: str, payload: Payload | None) -> None:
        """Send any message to every socket."""
        self._server.call(lambda: _together(_push(monitor, kind, payload) for monitor in self.monitors), CALL_TIMEOUT_S)

    def announce_devices(self) -> None:
        """Say on every socket that the lists of devices have changed, as after a merge (house/relabelled.py)."""
        self._server.call(lambda: _together(monitor.announce_devices() for monitor in self.monitors), CALL_TIMEOUT_S)

    # --- running

    def start(self) -> Self:
        """Listen; returns when clients may connect. After a stop, on the same port again. Raises OSError."""
        self._server.start()
        self.service.api_url, self.service.feed_url = self.api_url, self.feed_url
        return self

    def stop(self) -> None:
        """Cut all connections and stop listening; what the account granted stays granted."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def _drive(self) -> None:
        """Move the houses on until cancelled, then cut who still listens."""
        try:
            await _together(driver.run() for driver in self._drivers.values())
            await asyncio.Event().wait()
        finally:
            for monitor in self.monitors:
                _drop_all(monitor, GOING_AWAY, abort=True)

    def _wall(self) -> float:
        return self._settings.wall() + self.faults.clock_offset_s


def _application(service: SimulatedService) -> web.Application:
    async def feed(request: web.Request) -> web.StreamResponse:
        return await serve_feed(service, request)

    async def set_date_header(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(service.wall(), usegmt=True)

    application = web.Application(middlewares=[request_middleware(service)])
    application.on_response_prepare.append(set_date_header)
    application.add_routes([*routes(service), web.get("/monitors/{monitor}/realtimefeed", feed)])
    return application


def _drop_all(monitor: SimulatedMonitor, code: int, *, abort: bool) -> None:
    for socket in list(monitor.sockets):
        monitor.drop(socket, code=code, abort=abort)


async def _push(monitor: SimulatedMonitor, kind: str, payload: Payload | None) -> None:
    await _together(monitor.send_message(socket, kind, payload) for socket in monitor.sockets)


async def _together(works: Iterable[Awaitable[None]]) -> None:
    await asyncio.gather(*works)
