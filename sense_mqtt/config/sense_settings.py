"""The sections `sense`, `accounts` and `shard` of the configuration."""

import hashlib
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from sense_mqtt.config import checks
from sense_mqtt.config.section import Section
from sense_mqtt.core.topic_ids import sanitize_id

Password = Annotated[SecretStr, Field(min_length=1)]
Email = Annotated[SecretStr, AfterValidator(lambda given: SecretStr(checks.check_email(given.get_secret_value())))]
TotpSecret = Annotated[
    SecretStr, AfterValidator(lambda given: SecretStr(checks.check_totp_secret(given.get_secret_value())))
]
Monitors = Annotated[
    tuple[Annotated[int, Field(gt=0)], ...],
    BeforeValidator(checks.split_list),
    AfterValidator(lambda given: tuple(dict.fromkeys(given))),  # one twice would mean two sockets
]


class SenseSettings(Section):
    """The Sense account."""

    email: Email | None = Field(default=None, description="of your Sense account, such as you@example.com")
    password: Password | None = Field(default=None, description="of your Sense account")
    password_file: Path | None = Field(default=None, description="instead of password: a file that holds it")
    totp_secret: TotpSecret | None = Field(
        default=None, description="setup key of two-factor login, for login without a person"
    )
    totp_secret_file: Path | None = Field(default=None, description="instead of totp_secret: a file that holds it")
    monitors: Monitors = Field(
        default=(), description="monitor ids, such as [123456]; empty = every monitor of the account"
    )
    api_url: Annotated[str, AfterValidator(checks.check_api_url)] = Field(
        default="https://api.sense.com/apiservice/api/v1/", description="Sense's REST interface"
    )
    feed_url: Annotated[str, AfterValidator(checks.check_feed_url)] = Field(
        default="wss://clientrt.sense.com", description="Sense's realtime feed"
    )
    ca_file: Path | None = Field(default=None, description="extra trusted certificates, for firewalls that inspect TLS")
    timeout_s: float = Field(default=30, ge=1, le=300, description="time to wait for an answer from Sense")
    command_calls_per_hour: int = Field(
        default=120, ge=0, le=3600, description="REST calls that commands on MQTT may cost in an hour"
    )


class AccountSettings(SenseSettings):
    """One of several Sense accounts: the keys of `sense`, and a name."""

    name: str = Field(min_length=1, max_length=64, description="of your choice; its files are named by it")

    @property
    def file_name(self) -> str:
        """The name as part of a file's name; on some systems `A` and `a` are one file."""
        return sanitize_id(self.name).lower()


class ShardSettings(Section):
    """Which of the accounts this process serves, where several processes share one configuration."""

    index: int = Field(default=0, ge=0, le=9_999, description="of this process, from 0")
    count: int = Field(default=1, ge=1, le=10_000, description="how many processes there are; 1 = this one serves all")

    @model_validator(mode="after")
    def index_is_below_count(self) -> Self:
        if self.index >= self.count:
            raise ValueError(f"index must be below count, from 0 to {self.count - 1}, not {self.index}")
        return self

    @property
    def suffix(self) -> str:
        """What names of this process end with, so that each has its own: nothing where there is one process."""
        return f"-{self.index}" if self.count > 1 else ""

    def serves(self, account: str) -> bool:
        """Say whether this process serves the account with this name.

        The process with the highest hash serves it, so that one process more takes over only its own share.
        """
        return self.index == max(range(self.count), key=lambda index: _rank(account, index))


def _rank(account: str, index: int) -> bytes:
    return hashlib.sha256(f"{index}/{account}".encode()).digest()
