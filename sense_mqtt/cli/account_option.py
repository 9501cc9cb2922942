"""The option `--account`: which of several Sense accounts is meant."""

import argparse
from pathlib import Path

from sense_mqtt.config import Config
from sense_mqtt.errors import ConfigError


def choose_account(config: Config, name: str | None) -> Config:
    """Return the configuration of one account alone. Raises ConfigError where none, or more than one, is meant."""
    each = config.of_each_account()
    if name is None and len(each) == 1:
        return next(iter(each.values()))
    if name and name in each:
        return each[name]
    names = ", ".join(filter(None, each)) or "none, but `sense`"
    if name is None:
        raise ConfigError(f"there is more than one account, or none here: give --account; there are: {names}")
    raise ConfigError(f"--account: no account {name!r} of this process; there are: {names}")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the configuration."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="default: ./config.yaml, /etc/sense-mqtt/config.yaml"
    )


def add_account(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the configuration and an account."""
    add_config(parser)
    parser.add_argument("--account", metavar="NAME", help="which of `accounts`; needed where there are several")
