"""Every key of the configuration: its type, default, range and what it means. The example file is made from this."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from sense_mqtt.config import checks
from sense_mqtt.config.cycle_settings import CycleRule
from sense_mqtt.config.section import Delay, Section, Watts
from sense_mqtt.config.sense_settings import AccountSettings, Password, SenseSettings, ShardSettings
from sense_mqtt.config.solar_settings import SolarSettings
from sense_mqtt.config.web_settings import WebSettings
from sense_mqtt.config.webhook_settings import WebhookSettings
from sense_mqtt.core.device_rules import DeviceRules

Host = Annotated[str, AfterValidator(checks.check_host)]
Topic = Annotated[str, AfterValidator(checks.check_topic)]
WebPath = Annotated[str, AfterValidator(checks.check_path)]
TopicFilters = Annotated[
    tuple[Annotated[str, AfterValidator(checks.check_filter)], ...], BeforeValidator(checks.split_list)
]
SENSE_SECRETS = {"email", "password", "totp_secret"}
Interval = Annotated[float, Field(ge=0, le=86400)]  # seconds


class FeedSettings(Section):
    """How frames come."""

    mode: Literal["auto", "stream", "poll", "snapshot"] = Field(
        default="auto", description="auto steps down when Sense refuses"
    )
    poll_interval_s: float = Field(default=60, ge=30, le=86400, description="between two polls or snapshots")
    silence_timeout_s: float = Field(
        default=45, ge=5, le=3600, description="connect again after so long without a frame"
    )


class TlsSettings(Section):
    """Encryption between us and the broker."""

    enabled: bool = Field(default=False, description="encrypt; the broker's certificate is always verified")
    ca_file: Path | None = Field(default=None, description="certificates to trust instead of the system's")
    cert_file: Path | None = Field(default=None, description="our certificate, where the broker asks for one")
    key_file: Path | None = Field(default=None, description="the key of cert_file, where it is in a file of its own")
    server_name: Host | None = Field(
        default=None, description="the name in the broker's certificate, where it is not host"
    )

    @model_validator(mode="after")
    def key_has_a_certificate(self) -> Self:
        if self.key_file and not self.cert_file:
            raise ValueError("key_file needs cert_file; give both")
        return self


class MqttSettings(Section):
    """The MQTT broker."""

    host: Host = Field(default="localhost", description="name or address of the broker")
    port: int = Field(default_factory=lambda: 1883, ge=1, le=65535, description="empty = 1883, or 8883 with tls")
    username: str | None = Field(default=None, min_length=1, description="where the broker asks for one")
    password: Password | None = Field(default=None, description="where the broker asks for one")
    password_file: Path | None = Field(default=None, description="instead of password: a file that holds it")
    transport: Literal["tcp", "websockets"] = Field(
        default="tcp", description="websockets: for a broker behind a web server"
    )
    path: WebPath = Field(default="/mqtt", description="of the websocket, on the broker's web server")
    protocol: Literal["auto", "5", "3.1.1"] = Field(default="auto", description="auto tries 5, then 3.1.1")
    client_id: str = Field(
        default="sense-mqtt", min_length=1, max_length=200, description="must differ between bridges"
    )
    keepalive_s: int = Field(
        default=20, ge=5, le=3600, description="a broker that is gone is noticed after twice as long"
    )
    base_topic: Topic = Field(default="sense", description="every topic begins with this")
    response_topics: TopicFilters = Field(
        default=(),
        description="filters of response topics, such as [node-red/#]; empty = see docs/topics.md",
    )
    tls: TlsSettings = Field(default=TlsSettings(), description="encryption between us and the broker")

    @model_validator(mode="before")
    @classmethod
    def port_follows_tls(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "port" not in given and checks.asks_for_tls(given.get("tls")):
            return {**given, "port": 8883}
        return given


class HomeAssistantSettings(Section):
    """Home Assistant's MQTT discovery."""

    discovery: Literal["device", "single", "off"] = Field(
        default="device", description="single: Home Assistant before 2024.12"
    )
    prefix: Topic = Field(default="homeassistant", description="Home Assistant's discovery prefix")


class PublishSettings(Section):
    """How often readings are published; on and off are never held back by this."""

    device_interval_s: Interval = Field(default=60, description="shortest time between a device's power readings")
    house_interval_s: Interval = Field(default=10, description="shortest time between the house's readings")
    jump_w: Watts | None = Field(default=None, description="a change of so many watts is published at once")


class EnergySettings(Section):
    """Energy totals."""

    interval_s: float = Field(default=900, ge=60, le=86400, description="between two readings of the energy totals")


class DeviceSettings(Section):
    """Rules of one device; what is left out comes from `defaults`."""

    name: str | None = Field(default=None, min_length=1, max_length=200, description="instead of Sense's name")
    on_delay_s: Delay | None = Field(default=None, description="on only after so long")
    off_delay_s: Delay | None = Field(default=None, description="off only after so long")
    on_above_w: Watts | None = Field(default=None, description="on only at or above so many watts")
    off_below_w: Watts | None = Field(default=None, description="off below so many watts")
    ignore: bool = Field(default=False, description="publish nothing of this device")
    cycle: CycleRule = Field(default=None, description="off = none; empty = washers, dryers, dishwashers")

    @model_validator(mode="after")
    def thresholds_leave_a_gap(self) -> Self:
        if self.on_above_w is not None and self.off_below_w is not None and self.off_below_w > self.on_above_w:
            raise ValueError("off_below_w must be at most on_above_w, or the device would never be off")
        return self


class DefaultRules(Section):
    """Rules of every device that has none of its own."""

    on_delay_s: Delay = Field(default=0, description="a device is on only after so long")
    off_delay_s: Delay = Field(default=2, description="a device is off only after so long")


class Config(Section):
    """Everything that can be set."""

    sense: SenseSettings = Field(default=SenseSettings(), description="the Sense account")
    feed: FeedSettings = Field(default=FeedSettings(), description="how frames come")
    mqtt: MqttSettings = Field(default=MqttSettings(), description="the MQTT broker")
    home_assistant: HomeAssistantSettings = Field(
        default=HomeAssistantSettings(), description="Home Assistant's discovery"
    )
    publish: PublishSettings = Field(default=PublishSettings(), description="how often readings are published")
    energy: EnergySettings = Field(default=EnergySettings(), description="energy totals")
    solar: SolarSettings = Field(default=SolarSettings(), description="homes with solar")
    webhooks: tuple[WebhookSettings, ...] = Field(
        default=(), description="each gets events by HTTP POST, at least once (docs/webhooks.md)"
    )
    web: WebSettings = Field(default=WebSettings(), description="the page of the house")
    devices: dict[str, DeviceSettings] = Field(default={}, description="rules for single devices, by Sense id")
    defaults: DefaultRules = Field(default=DefaultRules(), description="rules for every other device")
    accounts: tuple[AccountSettings, ...] = Field(
        default=(), description="several Sense accounts, instead of sense: each a name, and the keys of sense"
    )
    shard: ShardSettings = Field(default=ShardSettings(), description="several processes that share the accounts")
    state_dir: Path = Field(
        default_factory=lambda: Path.home() / ".local/state/sense-mqtt",
        description="session and journal; empty = $STATE_DIRECTORY, else ~/.local/state/sense-mqtt",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(checks.lower)] = Field(
        default="info", description="debug tells each call and transition"
    )

    @model_validator(mode="after")
    def accounts_are_told_apart(self) -> Self:
        if self.accounts and "sense" in self.model_fields_set:
            raise ValueError("sense and accounts are both given; move what sense holds to one of accounts")
        names = Counter(account.file_name for account in self.accounts)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"accounts: the name {twice[0]} is given twice; give each account a name of its own")
        if self.shard.count > 1 and not self.accounts:
            raise ValueError("shard: shares out accounts, and there are none; give accounts instead of sense")
        return self

    def of_each_account(self) -> dict[str, Self]:
        """Return the configuration of each account alone, by name: its keys are in `sense`, its files in `state_dir`.

        With `sense` there is one, without a name. With `shard` those of this process.
        """
        if not self.accounts:
            return {"": self}
        served = [account for account in self.accounts if self.shard.serves(account.name)]
        return {account.name: self.model_copy(update=self._of_account(account)) for account in served}

    def _of_account(self, account: AccountSettings) -> dict[str, Any]:
        return {"sense": account, "accounts": (), "state_dir": self.state_dir / f"account-{account.file_name}"}

    def device_rules(self, device: str) -> DeviceRules:
        """The rules of the device with this Sense id, defaults filled in."""
        # Environment variables are in capitals, whatever the id.
        own = self.devices.get(device) or self.devices.get(device.lower()) or DeviceSettings()
        return DeviceRules(
            name=own.name,
            on_delay_s=self.defaults.on_delay_s if own.on_delay_s is None else own.on_delay_s,
            off_delay_s=self.defaults.off_delay_s if own.off_delay_s is None else own.off_delay_s,
            on_above_w=own.on_above_w,
            off_below_w=own.off_below_w,
            ignore=own.ignore,
            cycle_pause_s=None if own.cycle is None else own.cycle.pause_s,
        )

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the redactor alone."""
        sections = (self.sense, *self.accounts, self.mqtt, self.web)
        secrets = [value.get_secret_value() for section in sections for value in _secrets_of(section)]
        secrets += (part for hook in self.webhooks for part in checks.secret_parts(hook.secret_url))
        return tuple(secrets)

    def public(self) -> dict[str, Any]:
        """Everything but secrets, e-mail, user name and where the home is, as plain JSON; for `bridge/info`."""
        hidden: dict[str, Any] = {
            "sense": SENSE_SECRETS,
            "accounts": {"__all__": SENSE_SECRETS},
            "mqtt": {"username", "password"},
            "web": {"password"},
            "solar": {"latitude", "longitude"},
            "webhooks": {"__all__": {"url"}},
        }
        return self.model_dump(mode="json", exclude=hidden)


def _secrets_of(section: Section) -> Iterator[SecretStr]:
    return (value for _, value in section if isinstance(value, SecretStr))
