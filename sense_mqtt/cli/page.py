"""The page of the house beside a running bridge. It needs the extra `web`, so import this where it is enabled."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from msgspec import Struct

from sense_mqtt import __version__
from sense_mqtt.assembly.sense_client import SenseClient, credentials_of
from sense_mqtt.cli.login import LoginOptions, log_in
from sense_mqtt.clock import Clock
from sense_mqtt.config import Config
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.web.access import Access
from sense_mqtt.web.sense_login import AskForCode, LogIn
from sense_mqtt.web.server import ServerSettings, WebServer
from sense_mqtt.web.state import WebState


@contextmanager
def page_served(
    config: Config, sense_clients: Sequence[SenseClient], redactor: Redactor, clock: Clock
) -> Iterator[WebState]:
    """Serve the page as long as the context lasts."""
    web = config.web
    access = Access(frozenset(name.lower() for name in (*web.names, web.host)), web.ingress)
    password = web.password.get_secret_value() if web.password else None
    logins: dict[str, LogIn] = {client.name: partial(_log_in, client, redactor, clock) for client in sense_clients}
    state = WebState(__version__)
    server = WebServer(ServerSettings(web.host, web.port, access, password, logins), state)
    server.start()
    try:
        yield state
    finally:
        state.end()
        server.close()


class _PageAnswers(Struct, frozen=True):
    """Answers what `sense-mqtt login` asks with what was typed at the page."""

    password: str
    ask: AskForCode
    is_person = True

    def line(self, question: str) -> str:
        return self.ask(question)

    def hidden(self, question: str) -> str:  # noqa: ARG002 - only the password is hidden
        return self.password


def _log_in(client: SenseClient, redactor: Redactor, clock: Clock, email: str, password: str, ask: AskForCode) -> None:
    """Log in as `sense-mqtt login` does. Raises SenseMqttError."""
    answers = _PageAnswers(password, ask)
    known = credentials_of(client.config)
    log_in(client, known, LoginOptions(email), answers, clock, redactor.add_temporary_secret)
