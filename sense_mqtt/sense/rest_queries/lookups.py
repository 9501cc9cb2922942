"""The table command -> REST calls, and the lookups for the worker made from it."""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

from msgspec import Struct, field

from sense_mqtt.clock import Clock
from sense_mqtt.core.capability import Query
from sense_mqtt.core.edges import Edge
from sense_mqtt.core.energy.periods import Energy, energy_response, from_trends, from_usage
from sense_mqtt.core.timestamps import read_timestamp, write_timestamp
from sense_mqtt.core.wire.devices import mapping, rows_of
from sense_mqtt.core.wire.timeline import read_items
from sense_mqtt.errors import NotFound, RequestRefused, SenseUnavailable, TokenRefused
from sense_mqtt.sense.auth.tokens import Account, Monitor, read_monitor

logger = logging.getLogger(__name__)

MAX_PAGES, PAGE_ITEMS = 50, 100  # of the timeline: months of an ordinary home
NEW_ENDPOINTS_AGAIN_S = 86_400  # how long the old trends are asked where the new endpoints were missing

_BIN_S = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}


class RestSession(Protocol):
    """The session, as far as lookups need it."""

    def account(self) -> Account: ...
    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Any: ...


class AccountSession(RestSession, Protocol):
    """The session, where it learns of monitors."""

    def add_monitors(self, found: Iterable[Monitor]) -> Account: ...


Lookup = Callable[[RestSession], Any]


class LookupContext(Struct, frozen=True):
    """One lookup with all that it needs. `arguments` are checked and in Sense's form, see core/commands/table.py."""

    session: RestSession
    monitor: Monitor
    arguments: Mapping[str, Any]
    now_s: float  # seconds UTC

    @property
    def start(self) -> str:
        """The instant that was asked for, else the present one."""
        return str(self.arguments.get("start") or write_timestamp(self.now_s))

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return what Sense answers; `{monitor}` is filled in, and `{user}`, which in a path the session fills in."""
        filled = {name: self._fill(value) for name, value in (params or {}).items()}
        return self.session.get(path.replace("{monitor}", str(self.monitor.id)), filled)

    def _fill(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if "{user}" in value:
            value = value.replace("{user}", str(self.session.account().user_id))
        return value.replace("{monitor}", str(self.monitor.id))


class TimelineLookup(Struct, frozen=True):
    """The lookup of all edges on the account's timeline since then (seconds UTC), oldest first."""

    since_s: float

    def __call__(self, session: RestSession) -> tuple[Edge, ...]:
        return read_timeline(session, self.since_s)


class Get(Struct, frozen=True):
    """A row that is one GET and hands on the arguments as they are."""

    path: str
    fixed: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, context: LookupContext) -> Any:
        return context.get(self.path, {**self.fixed, **context.arguments})


def _device(context: LookupContext) -> Any:
    identity = context.arguments["id"]
    try:
        return context.get(f"app/monitors/{{monitor}}/devices/{identity}")
    except NotFound as error:
        raise NotFound(f"no device '{identity}' on monitor {context.monitor.id}") from error


def _history(context: LookupContext) -> Any:
    span_s = context.arguments["frames"] * _BIN_S[context.arguments["granularity"]]
    newest = {"start": write_timestamp(context.now_s - span_s)}
    return context.get("app/history/usage", {"monitor_id": "{monitor}", **newest, **context.arguments})


def _trends(context: LookupContext) -> Any:
    params = {"monitor_id": "{monitor}", "scale": context.arguments["scale"], "start": context.start}
    return context.get("app/history/trends", params)


def _usage(context: LookupContext) -> Any:
    return context.get("app/monitors/{monitor}/history/usage", _period(context))


def _solar_usage(context: LookupContext) -> Any:
    return context.get("app/monitors/{monitor}/history/usage/solar", _period(context))


def _period(context: LookupContext) -> dict[str, str]:
    # The new endpoints take `start` without fraction and zone, and read it as UTC (SE 0.15.0).
    return {"scale": context.arguments["scale"], "start": context.start[:19]}


def _get(context: LookupContext) -> Any:
    return context.get(context.arguments["path"], context.arguments.get("params"))


LOOKUPS: Mapping[str, Callable[[LookupContext], Any]] = {
    "devices": Get("app/monitors/{monitor}/devices", {"include_merged": "true"}),
    "device": _device,
    "always_on": Get("app/monitors/{monitor}/devices/always_on"),
    "unknown": Get("app/monitors/{monitor}/devices/unknown"),
    "status": Get("app/monitors/{monitor}/status"),
    "overview": Get("app/monitors/{monitor}/overview"),
    "timeline": Get("users/{user}/timeline"),
    "history": _history,
    "usage": _usage,
    "solar_usage": _solar_usage,
    "trends": _trends,
    "realtime": Get("app/{monitor}/realtime_update"),
    "comparisons": Get("app/history/comparisons", {"monitor_id": "{monitor}"}),
    "rate_zones": Get("app/monitors/{monitor}/rate_zones"),
    "get": _get,
}
"""Paths and parameters. `energy` is more than one call, see Lookups."""


class Lookups:
    """Makes commands into lookups for the worker, and remembers which monitors only the old trends know."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._old_until: dict[int, float] = {}  # by monitor, monotonic seconds

    def prepare(self, name: str, monitor: Monitor, arguments: Mapping[str, Any]) -> Lookup:
        """Return the lookup of a command; it gives what the command answers."""
        if name == "energy":
            return lambda session: energy_response(self._read_energy(self._ask(session, monitor, arguments)))
        return lambda session: LOOKUPS[name](self._ask(session, monitor, arguments))

    def run_query(self, monitor: Monitor, query: Query) -> Lookup:
        """Return the lookup of what a capability needs: an Energy for `energy`, for all else what Sense answers."""
        if query.lookup == "energy":
            return lambda session: self._read_energy(self._ask(session, monitor, query.arguments))
        return self.prepare(query.lookup, monitor, query.arguments)

    def account(self, wanted: Collection[int], *, again: bool) -> Callable[[AccountSession], Account]:
        """Return the lookup of the account; `again`: with the monitors that it has had since the login."""
        return lambda session: read_account(session, wanted, again=again)

    def timeline(self, since_s: float) -> Lookup:
        """Return the lookup of all edges on the timeline since then (seconds UTC), oldest first."""
        return TimelineLookup(since_s)

    def _ask(self, session: RestSession, monitor: Monitor, arguments: Mapping[str, Any]) -> LookupContext:
        return LookupContext(session, monitor, arguments, self._clock.now().wall)

    def _read_energy(self, context: LookupContext) -> Energy:
        now, until = self._clock.now().monotonic, self._old_until.pop(context.monitor.id, None)
        if until is None or now >= until:
            try:
                return _read_new(context)
            except NotFound:
                until = now + NEW_ENDPOINTS_AGAIN_S
        trends = _trends(context)
        self._old_until[context.monitor.id] = until  # not where both are missing: that says nothing about either
        return from_trends(context.arguments["scale"], trends, solar=context.monitor.solar)


def read_account(session: AccountSession, wanted: Collection[int], *, again: bool) -> Account:
    """Return the account, and look for monitors that no login has told of yet.

    A login tells which monitors there are, a renewal does not. Others show in the account's timeline, or
    in `sense.monitors`; their overview says what they are, and is another account's secret.
    """
    account = session.account()
    known = {monitor.id for monitor in account.monitors}
    if not again and known.issuperset(wanted):
        return account
    found: list[Monitor] = []
    with contextlib.suppress(
        NotFound, RequestRefused, TokenRefused
    ):  # a failed search must not cost the monitors that are known
        for number in sorted({*_monitors_in_timeline(session), *wanted} - known):
            with contextlib.suppress(NotFound):
                answer = mapping(session.get(f"app/monitors/{number}/overview"))
                monitor = read_monitor(mapping(mapping(answer.get("monitor_overview")).get("monitor")))
                found += [monitor] if monitor and monitor.id == number else []
    return session.add_monitors(found) if found else account


def _monitors_in_timeline(session: RestSession) -> set[int]:
    page = mapping(session.get("users/{user}/timeline", {"n_items": PAGE_ITEMS}))
    items = [*rows_of(page.get("items")), *rows_of(page.get("sticky_items"))]
    return {int(item["monitor_id"]) for item in items if type(item.get("monitor_id")) is int}


def read_timeline(session: RestSession, since_s: float) -> tuple[Edge, ...]:
    """Page back through the account's timeline to `since_s`, at most MAX_PAGES pages."""
    items: list[Mapping[str, Any]] = []
    prior_to: dict[str, str] = {}
    for number in range(1, MAX_PAGES + 1):
        answer = mapping(session.get("users/{user}/timeline", {"n_items": PAGE_ITEMS, **prior_to}))
        page = rows_of(answer.get("items"))
        logger.debug("the timeline back to %s: page %d has %d items", write_timestamp(since_s), number, len(page))
        times = [time for time in (read_timestamp(item.get("time")) for item in page) if time is not None]
        items += page
        before, prior_to = prior_to, {"prior_to_item": write_timestamp(min(times, default=since_s))}
        if min(times, default=since_s) <= since_s or answer.get("more_items") is False or prior_to == before:
            break
    return read_items(items)


def _read_new(context: LookupContext) -> Energy:
    usage = _usage(context)
    return from_usage(context.arguments["scale"], usage, _read_solar(context) if context.monitor.solar else None)


def _read_solar(context: LookupContext) -> Any:
    """Return `history/usage/solar`, None where Sense does not give it: the home's other figures stand."""
    try:
        return _solar_usage(context)
    except (NotFound, RequestRefused, TokenRefused, SenseUnavailable) as error:
        # NotFound: only where `solar_configured`
        logger.debug("the solar energy of the %s: %s", context.arguments["scale"], error)
        return None
