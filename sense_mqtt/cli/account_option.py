"""The option `--account`: which of several Sense accounts is meant."""

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
