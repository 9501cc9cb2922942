"""Sense, asked about one account or several: each has a session, a login budget and a spacing of calls of its own."""

import functools
import random
import threading
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.assembly.timing import Timing
from sense_mqtt.clock import Clock
from sense_mqtt.config import AccountSettings, Config
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import AuthChanged
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.sense.auth.session import Credentials, Session
from sense_mqtt.sense.device_id import device_id
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.rest.rate_limit import RateLimiter
from sense_mqtt.sense.state_file import StateFile


class SenseClient(Struct, frozen=True):
    """Sense, as far as the bridge and the command line ask it about one account."""

    config: Config  # of this account alone
    name: str  # of the account, where there are several
    api: SenseApi
    session: Session
    closing: threading.Event  # set: whoever waits for Sense gives up
    redact: Callable[[str], str] = str  # returns text without the secrets that are known


def connect_each(
    config: Config, inbox: Inbox, redactor: Redactor, clock: Clock, timing: Timing | None = None
) -> list[SenseClient]:
    """Return the sessions of all accounts that this process serves; nothing is asked of Sense yet."""

    def post(item: AuthChanged, number: int) -> None:
        inbox.put(replace(item, account=number))

    each = enumerate(config.of_each_account().values())
    return [connect_sense(own, functools.partial(post, number=number), redactor, clock, timing) for number, own in each]


def connect_sense(
    config: Config, post: Callable[[AuthChanged], None], redactor: Redactor, clock: Clock, timing: Timing | None = None
) -> SenseClient:
    """Return the session of one account, that of `config.sense`; `post` is told of each change of its login."""
    closing, timing = threading.Event(), timing or Timing()
    sense = config.sense
    api = SenseApi(
        sense.api_url,
        device_id=device_id(config.state_dir),
        timeout_s=sense.timeout_s,
        ca_file=sense.ca_file,
        clock=clock,
        limiter=RateLimiter(clock, closing, timing.rest_spacing_s, StateFile(config.state_dir / "manners.json")),
    )
    session = Session(
        api,
        config.state_dir,
        credentials_of(config),
        clock=clock,
        post=post,
        renewal_wait_s=lambda failures: timing.scheduler.wait_s(failures, random.uniform),
        add_temporary_secrets=redactor.add_temporary_secret,
    )
    return SenseClient(config, _name_of(config), api, session, closing, redactor.redact)


def credentials_of(config: Config) -> Credentials:
    """Return what the configuration knows of the account."""
    sense = config.sense
    return Credentials(
        sense.email.get_secret_value() if sense.email else None,
        sense.password.get_secret_value() if sense.password else None,
        sense.totp_secret.get_secret_value() if sense.totp_secret else None,
        _name_of(config),
    )


def _name_of(config: Config) -> str:
    return config.sense.name if isinstance(config.sense, AccountSettings) else ""
