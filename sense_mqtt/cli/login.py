"""`sense-mqtt login`: log in, from a terminal or a script, and store the session for the bridge."""

import argparse
import getpass
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from sense_mqtt.assembly.sense_client import SenseClient
from sense_mqtt.cli.process import is_text
from sense_mqtt.clock import Clock
from sense_mqtt.errors import ConfigError, MfaNeeded
from sense_mqtt.sense.auth.login_flow import CLOCK_WRONG_S, totp_codes
from sense_mqtt.sense.auth.session import Account, Credentials
from sense_mqtt.sense.auth.tokens import fingerprint
from sense_mqtt.sense.rest.responses import CodeRefused

EPILOG = (
    "A running bridge picks up the session within seconds. At a terminal, missing values are asked for. A script gives "
    "e-mail and password by --email and --password-stdin, or by the configuration; where Sense asks for a code, it is "
    "--code, else one made from sense.totp_secret, else the next line of standard input."
)
ENTER = " (Enter: the configured one)"
NO_EMAIL = "no e-mail: give --email, or set sense.email"
NO_PASSWORD = "no password: give it as first line of standard input with --password-stdin, or set sense.password_file"  # noqa: S105 - none
NO_CODE = "the account has two-factor login: give --code, or the code as next line of standard input"
OTHER_ACCOUNT = (
    "sense.email and sense.password are those of another account, so the bridge would not take this session up: "
    "change them, or leave both out of the configuration"
)
NO_TEXT = "what was typed is not UTF-8 text; correct the terminal's encoding, or what fills standard input"
EXPIRED_CODE = "Sense refused the code: it lives for 30 seconds only; try again with the one that the app shows then"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options; none is a password, as every user of a machine can read the arguments of a process."""
    parser.epilog = EPILOG
    parser.add_argument("--email", help="e-mail address of the Sense account (default: sense.email)")
    parser.add_argument(
        "--password-stdin", action="store_true", help="the first line of standard input is the password"
    )
    parser.add_argument("--code", help="two-factor code, as the authenticator app shows it")


@dataclass(frozen=True, slots=True)
class LoginOptions:
    """The options of the command line."""

    email: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    password_on_stdin: bool = False  # as first line of standard input


class PromptSource(Protocol):
    """Source of the answers to questions; an empty text stands for no answer."""

    is_person: bool

    def line(self, question: str) -> str: ...
    def hidden(self, question: str) -> str: ...


class Terminal:
    """Asks the person at the terminal."""

    is_person = True

    def __init__(self, screen: TextIO, keyboard: TextIO) -> None:
        self._screen = screen
        self._keyboard = keyboard

    def line(self, question: str) -> str:
        self._screen.write(question)
        self._screen.flush()
        return self._keyboard.readline().strip()

    def hidden(self, question: str) -> str:
        try:
            return getpass.getpass(question, self._screen)
        except EOFError:
            return ""
        except UnicodeDecodeError as error:
            raise ConfigError(NO_TEXT) from error


class StandardInput:
    """Reads standard input: one answer a line, in the order of the questions."""

    is_person = False

    def __init__(self, lines: TextIO) -> None:
        self._lines = lines

    def line(self, question: str) -> str:  # noqa: ARG002 - nobody reads it
        return self._lines.readline().rstrip("\r\n")

    hidden = line


def prompt_source(keyboard: TextIO | None, screen: TextIO) -> PromptSource:
    """Return the terminal where standard input is one, else standard input."""
    if keyboard is not None and keyboard.isatty():
        return Terminal(screen, keyboard)
    return StandardInput(keyboard or io.StringIO())


def log_in(
    sense_client: SenseClient,
    known: Credentials,
    given: LoginOptions,
    answers: PromptSource,
    clock: Clock,
    learn: Callable[..., None],
) -> Account:
    """Return whose session is stored now. Raises `LoginRefused` and its kinds, `ConfigError`, or what says "later"."""
    email = _text(_email(known, given, answers))
    if not _is_same(email, known.email):
        if known.email and known.password:
            raise ConfigError(OTHER_ACCOUNT)
        known = Credentials(email)
    password = _text(_password(known, given, answers))
    learn(email, password)
    codes = _codes(sense_client, known.totp_secret, given, answers, clock)
    return sense_client.session.log_in(email, password, lambda: next(codes))


def _email(known: Credentials, given: LoginOptions, answers: PromptSource) -> str:
    email = given.email
    if not email and answers.is_person:
        email = answers.line(f"E-mail of the Sense account{ENTER if known.email else ''}: ")
    email = email or known.email
    if not email:
        raise ConfigError(NO_EMAIL)
    return email.strip()


def _is_same(email: str, other: str | None) -> bool:
    return fingerprint(email) == fingerprint(other)


def _password(known: Credentials, given: LoginOptions, answers: PromptSource) -> str:
    password = ""
    if given.password_on_stdin or answers.is_person:
        password = answers.hidden(f"Password{ENTER if known.password else ''}: ")
    password = password or known.password or ""
    if not password:
        raise ConfigError(NO_PASSWORD)
    return password


def _codes(
    sense_client: SenseClient, totp_secret: str | None, given: LoginOptions, answers: PromptSource, clock: Clock
) -> Iterator[str]:
    """Yield the code, and another where Sense refused it."""
    if totp_secret and not given.code:
        yield from map(totp_codes(sense_client.api, totp_secret, clock), itertools.count())
    code = _plain(given.code) or _ask(answers, "Code of the authenticator app: ", MfaNeeded(NO_CODE))
    yield code
    if abs(sense_client.api.clock_error_s) <= CLOCK_WRONG_S:  # else it was our time that Sense refused, not the code
        code = _ask(answers, "Sense refused that code. The next one: ", CodeRefused(EXPIRED_CODE))
    yield code


def _ask(answers: PromptSource, question: str, otherwise: Exception) -> str:
    code = _plain(_text(answers.line(question)))
    if not code:
        raise otherwise
    return code


def _text(given: str) -> str:
    if not is_text(given):
        raise ConfigError(NO_TEXT)
    return given


def _plain(code: str | None) -> str:
    return "".join((code or "").split())  # apps show "123 456"
