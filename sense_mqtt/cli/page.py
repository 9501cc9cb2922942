"""The page of the house beside a running bridge, where the configuration asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sense_mqtt import __version__
from sense_mqtt.config import Config
from sense_mqtt.errors import ConfigError
from sense_mqtt.web.access import Access
from sense_mqtt.web.state import WebState


@contextmanager
def page_served(config: Config) -> Iterator[WebState | None]:
    """Serve the page as long as the context lasts; None where it is not enabled. Raises ConfigError."""
    if not config.web.enabled:
        yield None
        return
    try:
        from sense_mqtt.web.server import ServerSettings, WebServer
    except ModuleNotFoundError as error:
        raise ConfigError(f"web.enabled: the page needs {error.name}: pip install 'sense-mqtt[web]'") from error
    web = config.web
    access = Access(frozenset(name.lower() for name in (*web.names, web.host)), web.ingress)
    password = web.password.get_secret_value() if web.password else None
    state = WebState(__version__)
    server = WebServer(ServerSettings(web.host, web.port, access, password), state)
    server.start()
    try:
        yield state
    finally:
        server.close()
