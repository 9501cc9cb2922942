"""SIGHUP: the configuration is read again, and what can change without a new connection does."""

import logging
from collections.abc import Callable, Iterator

from sense_mqtt.assembly.assemble import policy_of
from sense_mqtt.bridge.loop import Bridge
from sense_mqtt.cli.service_manager import ServiceManager
from sense_mqtt.clock import Moment
from sense_mqtt.config import Config
from sense_mqtt.errors import ConfigError
from sense_mqtt.items import Reload

logger = logging.getLogger(__name__)

TAKEN_OVER = ("publish", "energy", "solar", "devices", "defaults", "log_level")  # all else takes effect at a restart


class Reloader:
    """Puts another configuration in force. For the bridge's thread only."""

    def __init__(self, bridge: Bridge, config: Config, manager: ServiceManager, read: Callable[[], Config]) -> None:
        """`config`: the one in force; `read` raises ConfigError."""
        self._bridge = bridge
        self._config = config
        self._manager = manager
        self._read = read

    def reload(self, _item: Reload, now: Moment) -> None:
        """Read the configuration and put it in force; one that cannot be read leaves everything as it was."""
        self._manager.begin_reload(now)
        try:
            read = self._read()
        except ConfigError as error:
            for fault in str(error).split("\n"):
                logger.error("the new configuration has a mistake, the old one stays in force: %s", fault)  # noqa: TRY400
            return
        if later := sorted(_different(self._config, read)):
            logger.warning("these changes take effect once sense-mqtt is started again: %s", ", ".join(later))
        self._config = self._config.model_copy(update={key: getattr(read, key) for key in TAKEN_OVER})
        logging.getLogger("sense_mqtt").setLevel(self._config.log_level.upper())
        self._bridge.set_policy(policy_of(self._config), self._config.public(), now)
        logger.info("the configuration was read again")


def _different(before: Config, after: Config) -> Iterator[str]:
    """Yield the keys whose change waits for a restart."""
    if before.secrets() != after.secrets():
        yield "passwords and other secrets"
    old, new = before.public(), after.public()
    for key in old.keys() - {*TAKEN_OVER}:
        if isinstance(old[key], dict):
            yield from (f"{key}.{name}" for name in old[key] if old[key][name] != new[key][name])
        elif old[key] != new[key]:
            yield key
