"""Who is asked what at a login, and what is taken from where."""

import io
import threading
import time

import pytest

from sense_mqtt.assembly.sense_client import SenseClient
from sense_mqtt.cli.login import LoginOptions, StandardInput, log_in, prompt_source
from sense_mqtt.clock import SystemClock
from sense_mqtt.config import Config
from sense_mqtt.errors import ConfigError, LoginRefused, MfaNeeded
from sense_mqtt.sense.auth.session import Credentials, Session
from sense_mqtt.sense.auth.totp import code_at
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.rest.rate_limit import RateLimiter
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud

pytestmark = pytest.mark.enable_socket


class Person:
    """Answers by the beginning of the question; what is asked is kept."""

    is_person = True

    def __init__(self, **answers):
        self._answers = answers
        self.asked = []

    def line(self, question):
        self.asked.append(question)
        return self._answers.get(question.split()[0].strip(":").replace("-", "").lower(), "")

    hidden = line


@pytest.fixture
def simulated():
    with SimulatedCloud(BuiltInHouse(seed=1)) as cloud:
        yield cloud


@pytest.fixture
def enter(simulated, tmp_path):
    """Log in; returns what was learned to be secret."""
    clock, closing = SystemClock(), threading.Event()

    def once(answers, known=None, given=None):
        known = known or Credentials()
        limiter = RateLimiter(clock, closing, spacing_s=0.0)
        api = SenseApi(simulated.api_url, device_id="d", timeout_s=10.0, ca_file=None, clock=clock, limiter=limiter)
        session = Session(api, tmp_path, known, clock=clock, post=lambda _: None, renewal_wait_s=float)
        secrets = []
        account = log_in(
            SenseClient(Config(state_dir=tmp_path), "", api, session, closing),
            known,
            given or LoginOptions(),
            answers,
            clock,
            lambda *all_: secrets.extend(all_),
        )
        assert account.user_id == simulated.account.user_id
        return secrets

    return once


def test_a_person_is_asked_for_what_nobody_knows(enter, simulated):
    person = Person(email=simulated.email, password=simulated.password)
    assert enter(person) == [simulated.email, simulated.password]
    assert person.asked == ["E-mail of the Sense account: ", "Password: "]


def test_enter_takes_what_is_configured_and_shows_none_of_it(enter, simulated):
    person = Person()
    enter(person, Credentials(simulated.email, simulated.password))
    assert person.asked == [
        "E-mail of the Sense account (Enter: the configured one): ",
        "Password (Enter: the configured one): ",
    ]


def test_what_a_person_types_is_stronger_than_what_is_configured(enter, simulated):
    person = Person(password=simulated.password)
    assert enter(person, Credentials(simulated.email, "an old one"))[1] == simulated.password


def test_an_e_mail_on_the_command_line_is_not_asked_for(enter, simulated):
    person = Person(password=simulated.password)
    enter(person, given=LoginOptions(email=simulated.email))
    assert person.asked == ["Password: "]


def test_a_code_may_be_typed_with_a_space(enter, simulated):
    simulated.rules.mfa = True
    code = code_at(simulated.totp_secret, time.time())
    enter(Person(email=simulated.email, password=simulated.password, code=f" {code[:3]} {code[3:]} "))


def test_no_code_is_asked_for_where_the_configuration_can_make_it(enter, simulated):
    simulated.rules.mfa = True
    person = Person()
    enter(person, Credentials(simulated.email, simulated.password, simulated.totp_secret))
    assert [question for question in person.asked if "ode" in question] == []


def test_a_totp_secret_of_another_account_is_not_used(enter, simulated):
    simulated.rules.mfa = True
    known = Credentials("other@example.com", None, simulated.totp_secret)
    with pytest.raises(MfaNeeded):
        enter(Person(password=simulated.password), known, LoginOptions(email=simulated.email))


def test_capitals_and_spaces_make_no_other_account(enter, simulated):
    known = Credentials(simulated.email, simulated.password)
    enter(StandardInput(io.StringIO()), known, LoginOptions(email=f" {simulated.email.upper()} "))


IN_VAIN = [
    ("no e-mail", Credentials(), LoginOptions(), "", ConfigError, "no e-mail: give --email"),
    (
        "no password",
        Credentials("a@example.com"),
        LoginOptions(),
        "",
        ConfigError,
        "no password: give it as first line",
    ),
    (
        "a password line nobody asked for",
        Credentials("a@example.com"),
        LoginOptions(),
        "secret\n",
        ConfigError,
        "no password: give it as first line",
    ),
    (
        "another account",
        Credentials("a@example.com", "secret"),
        LoginOptions(email="b@example.com"),
        "",
        ConfigError,
        "those of another account",
    ),
    (
        "a wrong password",
        Credentials(),
        LoginOptions(email="a@example.com", password_on_stdin=True),
        "secret\n",
        LoginRefused,
        "check e-mail and password",
    ),
]


@pytest.mark.parametrize(
    ("known", "given", "lines", "kind", "told"), [row[1:] for row in IN_VAIN], ids=[row[0] for row in IN_VAIN]
)
def test_a_script_learns_what_is_missing(known, given, lines, kind, told, enter):
    with pytest.raises(kind, match=told) as refused:
        enter(StandardInput(io.StringIO(lines)), known, given)
    assert "secret" not in str(refused.value)
    assert "@" not in str(refused.value)


@pytest.mark.parametrize("keyboard", [None, io.StringIO()], ids=["closed", "a file"])
def test_who_is_no_terminal_is_a_script(keyboard):
    assert prompt_source(keyboard, io.StringIO()).is_person is False


def test_nothing_of_what_is_given_is_in_a_repr():
    shown = repr(LoginOptions("a@example.com", "123456"))
    assert "a@example.com" not in shown
    assert "123456" not in shown
