"""`webhooks` of the configuration."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from sense_mqtt.config import checks
from sense_mqtt.config.section import Section
from sense_mqtt.core.readings.entities import DEVICE_EVENTS, HOUSE_EVENTS
from sense_mqtt.core.webhooks.hook import Hook, hook_keys


def _check_event_type(given: str) -> str:
    known = (*DEVICE_EVENTS, *HOUSE_EVENTS)
    if given not in known:
        raise ValueError(f"must be one of {', '.join(known)}")
    return given


WebhookUrl = Annotated[
    SecretStr, AfterValidator(lambda given: SecretStr(checks.check_webhook_url(given.get_secret_value())))
]
EventType = Annotated[str, AfterValidator(_check_event_type)]
DeviceId = Annotated[str, Field(min_length=1, max_length=200)]


class WebhookSettings(Section):
    """One webhook."""

    url: WebhookUrl | None = Field(default=None, description="where events are posted; a secret")
    url_file: Path | None = Field(default=None, description="instead of url: a file that holds it")
    format: Literal["json", "ifttt"] = Field(default="json", description="json posts an event as on MQTT")
    events: Annotated[tuple[EventType, ...], BeforeValidator(checks.split_list)] = Field(
        default=(), description="types of events; empty = all of devices, those of the house only where named"
    )
    devices: Annotated[tuple[DeviceId, ...], BeforeValidator(checks.split_list)] = Field(
        default=(), description="Sense ids; empty = all devices"
    )

    @model_validator(mode="after")
    def url_is_given(self) -> Self:
        if self.url is None:
            raise ValueError("url or url_file must be given")
        return self

    @property
    def secret_url(self) -> str:
        """The URL in clear."""
        return self.url.get_secret_value() if self.url else ""


def hooks_of(webhooks: tuple[WebhookSettings, ...]) -> list[Hook]:
    """Return the webhooks as the bridge knows them, without their URLs."""
    keys = hook_keys((hook.secret_url, hook.format) for hook in webhooks)
    return [
        Hook(key, hook.format, frozenset(hook.events), frozenset(hook.devices))
        for key, hook in zip(keys, webhooks, strict=True)
    ]
