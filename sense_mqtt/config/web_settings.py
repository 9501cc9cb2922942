"""The section `web` of the configuration."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sense_mqtt.config import checks
from sense_mqtt.config.section import Section
from sense_mqtt.config.sense_settings import Password

Host = Annotated[str, AfterValidator(checks.check_host)]


class WebSettings(Section):
    """The page of the house."""

    enabled: bool = Field(default=False, description="the page, /metrics and /health; needs the extra `web`")
    host: Host = Field(default="127.0.0.1", description="the address to listen on; another one needs a password")
    port: int = Field(default=8788, ge=1, le=65535, description="the port to listen on")
    password: Password | None = Field(default=None, description="asked of whoever opens the page")
    password_file: Path | None = Field(default=None, description="instead of password: a file that holds it")
    names: Annotated[tuple[Host, ...], BeforeValidator(checks.split_list)] = Field(
        default=(), description="further names of this machine, such as [sense.example.com] behind a proxy"
    )
    ingress: bool = Field(
        default=False, description="only Home Assistant's ingress (172.30.32.2) is let in, without a password"
    )

    @model_validator(mode="after")
    def others_need_a_password(self) -> Self:
        is_guarded = self.password or self.password_file or self.ingress or is_loopback(self.host)
        if self.enabled and not is_guarded:
            raise ValueError(
                "host: other machines can reach the page there, so it needs a password; "
                "set web.password or web.password_file, or web.host to 127.0.0.1"
            )
        return self


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach what listens there."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
