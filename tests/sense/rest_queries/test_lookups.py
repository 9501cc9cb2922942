"""Lookups: which path and parameters each command becomes, and energy from whichever endpoint answers."""

from dataclasses import dataclass, field

import pytest

from sense_mqtt.clock import Moment
from sense_mqtt.core.capability import Query
from sense_mqtt.core.commands.table import COMMANDS, complete
from sense_mqtt.core.energy.periods import Energy
from sense_mqtt.errors import NotFound, RequestRefused, SenseUnavailable
from sense_mqtt.sense.auth.tokens import Account, Monitor
from sense_mqtt.sense.rest_queries.lookups import LOOKUPS, NEW_ENDPOINTS_AGAIN_S, Lookups

NOON = 1795262400.0  # 2026-11-21T12:00:00Z
HOUSE = Monitor(123456, "America/New_York", solar=False)
SUNNY = Monitor(123456, "America/New_York", solar=True)

USAGE = "app/monitors/123456/history/usage"
SOLAR = "app/monitors/123456/history/usage/solar"
TRENDS = "app/history/trends"
CURVE = "app/history/usage"
ANSWERS = {
    USAGE: {"start": "2026-11-21T05:00:00Z", "consumption": {"usage_total_kwh": 12.0}},
    SOLAR: {"total": {"production_kwh": 10.0}},
    TRENDS: {"start": "2026-11-21T05:00:00.000Z", "consumption": {"total": 11.0}, "production": {"total": 9.0}},
}


@dataclass
class RememberingSession:
    """A session whose answers are written down beforehand; any other path is not found."""

    answers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def account(self):
        return Account(77, (HOUSE,))

    def get(self, path, params=None):
        self.asked.append((path, dict(params or {})))
        answer = self.answers.get(path, NotFound(f"no {path}"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def paths(self):
        """What was asked for since the last call."""
        paths = [path for path, _ in self.asked]
        self.asked.clear()
        return paths


@dataclass
class FakeClock:
    seconds: float = 0.0

    def now(self):
        return Moment(NOON + self.seconds, self.seconds)


def carry_out(name, arguments, session, monitor=HOUSE):
    return Lookups(FakeClock()).prepare(name, monitor, complete(name, arguments))(session)


ASKED = [
    ("devices", {}, "app/monitors/123456/devices", {"include_merged": "true"}),
    ("device", {"id": "1a2b3c4d"}, "app/monitors/123456/devices/1a2b3c4d", {}),
    ("always_on", {}, "app/monitors/123456/devices/always_on", {}),
    ("unknown", {}, "app/monitors/123456/devices/unknown", {}),
    ("status", {}, "app/monitors/123456/status", {}),
    ("overview", {}, "app/monitors/123456/overview", {}),
    ("timeline", {}, "users/{user}/timeline", {"n_items": 30}),
    ("timeline", {"n_items": 5, "device_id": "a", "prior_to_item": "2026-11-21"}, "users/{user}/timeline",
     {"n_items": 5, "device_id": "a", "prior_to_item": "2026-11-21T00:00:00.000Z"}),
    ("history", {}, CURVE,
     {"monitor_id": "123456", "granularity": "MINUTE", "frames": 60, "start": "2026-11-21T11:00:00.000Z"}),
    ("history", {"granularity": "DAY", "frames": 7, "start": "2026-11-01", "device_id": "a"}, CURVE,
     {"monitor_id": "123456", "granularity": "DAY", "frames": 7, "start": "2026-11-01T00:00:00.000Z",
      "device_id": "a"}),
    ("usage", {}, USAGE, {"scale": "DAY", "start": "2026-11-21T12:00:00"}),
    ("usage", {"scale": "year", "start": "2025-07-01"}, USAGE, {"scale": "YEAR", "start": "2025-07-01T12:00:00"}),
    ("solar_usage", {}, SOLAR, {"scale": "DAY", "start": "2026-11-21T12:00:00"}),
    ("trends", {"scale": "HOUR"}, TRENDS,
     {"monitor_id": "123456", "scale": "HOUR", "start": "2026-11-21T12:00:00.000Z"}),
    ("realtime", {}, "app/123456/realtime_update", {}),
    ("comparisons", {}, "app/history/comparisons", {"monitor_id": "123456"}),
    ("rate_zones", {}, "app/monitors/123456/rate_zones", {}),
    ("get", {"path": "/users/{user}/settings"}, "users/{user}/settings", {}),
    ("get", {"path": "app/{monitor}/x", "params": {"m": "{monitor}", "u": "{user}", "n": 1, "f": True}}, "app/123456/x",
     {"m": "123456", "u": "77", "n": 1, "f": "true"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "path", "params"), ASKED)
def test_each_command_asks_sense_for_its_path(name, arguments, path, params):
    session = RememberingSession({path: {"raw": 1}})
    assert carry_out(name, arguments, session) == {"raw": 1}
    assert session.asked == [(path, params)]


def test_every_command_for_sense_has_a_lookup():
    assert {name for name, row in COMMANDS.items() if row.runs_on == "sense"} == {*LOOKUPS, "energy"}


def test_a_device_that_sense_does_not_know_is_named():
    with pytest.raises(NotFound, match=r"^no device 'zzz' on monitor 123456$"):
        carry_out("device", {"id": "zzz"}, RememberingSession())


# --- energy


@pytest.mark.parametrize(
    ("monitor", "answers", "production_kwh", "asked"),
    [
        (SUNNY, ANSWERS, 10.0, [USAGE, SOLAR]),
        (HOUSE, ANSWERS, None, [USAGE]),
        (SUNNY, {USAGE: ANSWERS[USAGE]}, None, [USAGE, SOLAR]),
        (SUNNY, {**ANSWERS, SOLAR: SenseUnavailable("no answer within 30 s")}, None, [USAGE, SOLAR]),
        (SUNNY, {**ANSWERS, SOLAR: RequestRefused("HTTP 400")}, None, [USAGE, SOLAR]),
    ],
    ids=["with solar", "without solar", "with solar that was never set up", "no answer", "refused"],
)
def test_energy_comes_from_the_new_endpoints(monitor, answers, production_kwh, asked):
    session = RememberingSession(answers)
    energy = Lookups(FakeClock()).run_query(monitor, Query("energy", {"scale": "DAY"}))(session)
    assert energy == Energy("DAY", "2026-11-21T05:00:00.000Z", 12.0, production_kwh)
    assert session.paths() == asked


@pytest.mark.parametrize(("monitor", "production_kwh"), [(SUNNY, 9.0), (HOUSE, None)])
def test_energy_falls_back_to_trends(monitor, production_kwh):
    session = RememberingSession({TRENDS: ANSWERS[TRENDS]})
    energy = Lookups(FakeClock()).run_query(monitor, Query("energy", {"scale": "WEEK"}))(session)
    assert energy == Energy("WEEK", "2026-11-21T05:00:00.000Z", 11.0, production_kwh)
    assert session.asked[1] == (
        TRENDS,
        {"monitor_id": "123456", "scale": "WEEK", "start": "2026-11-21T12:00:00.000Z"},
    )


def test_the_new_endpoints_are_tried_again_a_day_later():
    clock, session = FakeClock(), RememberingSession({TRENDS: ANSWERS[TRENDS]})
    lookup = Lookups(clock).run_query(HOUSE, Query("energy", {"scale": "DAY"}))
    lookup(session)
    assert session.paths() == [USAGE, TRENDS]
    clock.seconds = NEW_ENDPOINTS_AGAIN_S - 1
    lookup(session)
    assert session.paths() == [TRENDS]
    clock.seconds = NEW_ENDPOINTS_AGAIN_S
    lookup(session)
    assert session.paths() == [USAGE, TRENDS]


def test_where_both_are_missing_neither_is_remembered():
    session = RememberingSession()
    lookup = Lookups(FakeClock()).run_query(HOUSE, Query("energy", {"scale": "DAY"}))
    for _ in range(2):
        with pytest.raises(NotFound, match=TRENDS):
            lookup(session)
        assert session.paths() == [USAGE, TRENDS]


def test_trends_that_vanish_bring_the_new_endpoints_back():
    session = RememberingSession({TRENDS: ANSWERS[TRENDS]})
    lookup = Lookups(FakeClock()).run_query(HOUSE, Query("energy", {"scale": "DAY"}))
    lookup(session)
    session.answers = {USAGE: ANSWERS[USAGE]}
    with pytest.raises(NotFound):
        lookup(session)
    assert lookup(session).consumption_kwh == 12.0


def test_an_outage_is_no_reason_to_fall_back():
    session = RememberingSession({USAGE: SenseUnavailable("timeout"), TRENDS: ANSWERS[TRENDS]})
    with pytest.raises(SenseUnavailable):
        Lookups(FakeClock()).run_query(HOUSE, Query("energy", {"scale": "DAY"}))(session)
    assert session.paths() == [USAGE]


def test_the_command_answers_energy_as_json():
    answer = carry_out("energy", {"start": "2026-11-20"}, RememberingSession(ANSWERS), SUNNY)
    assert answer == {
        "scale": "DAY",
        "start": "2026-11-21T05:00:00.000Z",
        "consumption_kwh": 12.0,
        "production_kwh": 10.0,
        "net_production_pct": 83,
        "devices": [],
    }
