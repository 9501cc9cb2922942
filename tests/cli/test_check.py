"""How the checks are gone through, without a network."""

import pytest
from msgspec.structs import replace

from sense_mqtt.cli.check.checks import CHECKS, BrokerReport, CheckContext, CheckFailed, ProbeMessage
from sense_mqtt.cli.check.runner import CheckResult, run_checks
from sense_mqtt.config import Config
from sense_mqtt.core.publishing.broker_limits import NO_RETAIN, QOS_0
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.errors import ConfigError, LoginRefused, RateLimited, SenseUnavailable
from sense_mqtt.items import MessageArrived
from sense_mqtt.sense.auth.session import Account, Monitor

TAKEN = "the broker took a message on homeassistant/sensor/sense_mqtt_check/check/config"
SILENT = f"{TAKEN}; no message on homeassistant/status: Home Assistant publishes it only when it starts"
HEARD = "connected with MQTT 5, published on sense/bridge/event and heard it"
HOUSES = (Monitor(1, "America/New_York", solar=True), Monitor(2))


class Standing:
    """A session at hand, and what it would say in place of a token."""

    def __init__(self, monitors=HOUSES, refusal=None, logins=0):
        self._account, self._refusal = Account(7, monitors), refusal
        self._logins = [0, logins]

    @property
    def logins_last_hour(self):
        return self._logins.pop(0)

    def account(self):
        return self._account

    def token(self):
        if self._refusal is not None:
            raise self._refusal
        return "t"


def failing(error):
    def fail(*_):
        raise error

    return fail


@pytest.fixture
def context(tmp_path):
    """Everything is well."""
    return CheckContext(
        config=Config(state_dir=tmp_path),
        topics=Topics(),
        session=Standing(),
        status=lambda monitor: {"monitor_info": {"version": f"1.{monitor}", "online": True}},
        resolve=lambda _: ("192.0.2.1", "192.0.2.2"),
        uses_proxy=lambda _: False,
        tls_handshake=lambda url: f"met {url}",
        probe_feed=lambda _: "a frame came",
        exchange_messages=lambda _: BrokerReport(),
        event="{}",
    )


def found(context):
    return {finding.name: finding for finding in run_checks(lambda: [context], "here")}


def test_when_all_is_well_each_check_has_a_line(context):
    assert [str(finding) for finding in run_checks(lambda: [context], "here")][1:] == [
        "ok   dns api: api.sense.com is at 192.0.2.1, 192.0.2.2",
        "ok   tls api: met https://api.sense.com/apiservice/api/v1/",
        "ok   login: the stored session is valid; no login was made",
        "ok   monitors: 1, firmware 1.1, with solar; 2, firmware 1.2, without solar",
        "ok   dns feed: clientrt.sense.com is at 192.0.2.1, 192.0.2.2",
        "ok   tls feed: met wss://clientrt.sense.com",
        "ok   feed: 1: a frame came; 2: a frame came",
        "ok   dns broker: localhost is at 192.0.2.1, 192.0.2.2",
        f"ok   broker: {HEARD}",
        f"ok   home assistant: {SILENT}",
        "ok   webhooks: none is configured",
        "ok   page: web.enabled is false, so there is none",
    ]


def test_what_the_broker_cannot_do_is_reported_with_it(context):
    limits = BrokerReport(limits=[NO_RETAIN, QOS_0])
    told = found(replace(context, exchange_messages=lambda _: limits))["broker"].text
    assert told == f"{HEARD}; but {NO_RETAIN}; but {QOS_0}"


REQUEST = ProbeMessage("sense/bridge/request", "{}", "sense/bridge/request/#", is_required=False)
NO_COMMANDS = BrokerReport(refused={"sense/bridge/request/#": "no commands"})
NO_BIRTH = BrokerReport(refused={"homeassistant/status": "no birth"})
LACKING = [
    pytest.param(NO_COMMANDS, "broker", f"{HEARD}; but no commands", id="requests"),
    pytest.param(
        BrokerReport(refused={"sense/+/event": "maybe twice"}),
        "broker",
        "connected with MQTT 5, published on sense/bridge/event; but maybe twice",
        id="events cannot be heard, so nothing is claimed of it",
    ),
    pytest.param(
        BrokerReport(not_received=[REQUEST]),
        "broker",
        f"{HEARD}; but what was published on sense/bridge/request did not come back: commands may not be heard; let "
        "mqtt.username read sense/bridge/request/#",
        id="a broker that grants each subscription and passes on what is allowed",
    ),
    pytest.param(NO_BIRTH, "home assistant", f"{TAKEN}; but no birth", id="Home Assistant's birth"),
    pytest.param(
        BrokerReport(protocol="3.1.1"),
        "home assistant",
        f"{TAKEN} (with MQTT 3.1.1 a broker refuses without a word: make sure that mqtt.username may write "
        "homeassistant/#); "
        "no message on homeassistant/status: Home Assistant publishes it only when it starts",
        id="a protocol that cannot say no",
    ),
]


@pytest.mark.parametrize(("findings", "name", "told"), LACKING)
def test_what_would_not_work_is_reported(findings, name, told, context):
    assert found(replace(context, exchange_messages=lambda _: findings))[name] == CheckResult(name, "ok", told)


def test_every_fault_of_a_configuration_is_a_line_and_all_else_is_skipped():
    findings = list(run_checks(failing(ConfigError("a: b\nc: d")), "here"))
    assert str(findings[0]) == "FAIL config: a: b\n     c: d"
    assert findings[0].exit_code == 2
    assert [finding.status for finding in findings[1:]] == ["skip"] * len(CHECKS)


def with_fields(**fields):
    return fields


UNWELL = [
    pytest.param(
        with_fields(resolve=failing(OSError(-2, "Name or service not known"))),
        {"dns api", "dns feed", "dns broker"},
        "dns broker",
        "localhost: Name or service not known; check mqtt.host, the network and the name server",
        1,
        id="no name server",
    ),
    pytest.param(
        with_fields(resolve=failing(UnicodeError("label too long"))),
        {"dns api", "dns feed", "dns broker"},
        "dns api",
        "api.sense.com: UnicodeError; check sense.api_url, the network and the name server",
        1,
        id="a host that cannot be a name",
    ),
    pytest.param(
        with_fields(tls_handshake=failing(SenseUnavailable("no way"))),
        {"tls api", "tls feed"},
        "tls api",
        "no way",
        1,
        id="no way to Sense",
    ),
    pytest.param(
        {"session": Standing(refusal=LoginRefused("no"))}, {"login"}, "login", "no", 3, id="a login that is refused"
    ),
    pytest.param(
        {"session": Standing(refusal=RateLimited("wait 60 s", 60.0))}, {"login"}, "login", "wait 60 s", 1, id="a limit"
    ),
    pytest.param(
        {"session": Standing(monitors=())},
        {"monitors"},
        "monitors",
        "the account has none; set one up in the Sense app",
        1,
        id="an account without a monitor",
    ),
    pytest.param(
        {"config": Config.model_validate({"sense": {"monitors": [2, 3, 4]}})},
        {"monitors"},
        "monitors",
        "sense.monitors: the account has no monitor 3, 4, but 1, 2",
        2,
        id="a monitor of somebody else's",
    ),
    pytest.param(
        {"status": lambda _: {"monitor_info": {"online": False}}},
        {"monitors"},
        "monitors",
        "1 is offline; check its power and its Wi-Fi, and the Sense app",
        1,
        id="a monitor that is offline",
    ),
    pytest.param(
        with_fields(exchange_messages=failing(CheckFailed("no broker"))),
        {"broker"},
        "broker",
        "no broker",
        1,
        id="a broker that is away",
    ),
]


@pytest.mark.parametrize(("unwell", "failed", "name", "told", "exit_code"), UNWELL)
def test_what_fails_says_what_to_do_and_what_needs_it_is_skipped(unwell, failed, name, told, exit_code, context):
    findings = found(replace(context, **unwell))
    assert {finding.name for finding in findings.values() if finding.status == "FAIL"} == failed
    assert findings[name] == CheckResult(name, "FAIL", told, exit_code)
    for each, check in CHECKS.items():
        missing = [need for need in check.needs if findings[need].status != "ok"]
        assert (findings[each].status == "skip") == bool(missing)
        assert not missing or findings[each].text == f"needs {', '.join(missing)}"


def test_a_login_that_was_made_is_reported(context):
    assert "logged in with sense.email" in found(replace(context, session=Standing(logins=1)))["login"].text


@pytest.mark.parametrize("status", [None, [], {}, {"monitor_info": None}, {"monitor_info": {"version": 5}}])
def test_a_status_that_says_little_is_no_failure(status, context):
    told = found(replace(context, status=lambda _: status))["monitors"].text
    assert told == "1, firmware not told, with solar; 2, firmware not told, without solar"


def test_only_the_monitors_that_are_wanted_are_looked_at(context):
    wanted = Config.model_validate({"sense": {"monitors": [2]}})
    findings = found(replace(context, config=wanted, probe_feed=lambda monitor: f"saw {monitor}"))
    assert findings["monitors"].text == "2, firmware 1.2, without solar"
    assert findings["feed"].text == "2: saw 2"


def test_behind_a_proxy_names_and_certificates_are_the_proxys_business(context):
    nobody = failing(OSError("nobody asks"))
    broker_here = replace(context, uses_proxy=lambda url: "sense.com" in url, tls_handshake=nobody)
    findings = found(broker_here)
    assert {finding.status for finding in findings.values()} == {"ok"}
    for name in ("dns api", "tls api", "dns feed", "tls feed"):
        assert findings[name].text.startswith("not tested: the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY) names")


def test_with_discovery_off_nothing_is_published_for_home_assistant(context):
    off = Config.model_validate({"home_assistant": {"discovery": "off"}})
    assert "is off" in found(replace(context, config=off))["home assistant"].text


def test_what_home_assistant_said_last_is_repeated_in_short(context):
    heard = (MessageArrived(1, "homeassistant/status", b"offline" + b"\xff" * 99, retain=True),)
    told = found(replace(context, exchange_messages=lambda _: BrokerReport(heard)))["home assistant"].text
    assert told.endswith(f"its last message is 'offline{13 * chr(0xFFFD)}' on homeassistant/status")
