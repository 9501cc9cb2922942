"""Single queries to Sense for the command line, without a bridge."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from sense_mqtt import __version__
from sense_mqtt.assembly.assemble import policy_of, topics_of
from sense_mqtt.assembly.sense_client import SenseClient
from sense_mqtt.bridge.discovery import announce_home
from sense_mqtt.bridge.served import choose_monitors
from sense_mqtt.bridge.withdrawals import to_message
from sense_mqtt.clock import Clock
from sense_mqtt.config import Config
from sense_mqtt.core.commands.parse import choose_monitor
from sense_mqtt.core.commands.responses import ABSENT, Command, ResponseTo
from sense_mqtt.core.commands.table import COMMANDS, complete, read_pairs
from sense_mqtt.core.home.state import DevicesListed, Home
from sense_mqtt.core.home_assistant.discovery import announce_bridge
from sense_mqtt.core.home_assistant.messages import DiscoveryOptions
from sense_mqtt.core.observe import observe
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.monitor_status import read_firmware
from sense_mqtt.errors import CommandRefused
from sense_mqtt.sense.auth.tokens import Monitor
from sense_mqtt.sense.rest_queries.lookups import Lookups

NAMES = tuple(name for name, entry in COMMANDS.items() if entry.runs_on == "sense")


def look_up(sense_client: SenseClient, clock: Clock, name: str, pairs: Sequence[str]) -> Any:
    """Return what Sense answers about one of our monitors. Raises SenseMqttError."""
    if name not in NAMES:
        raise CommandRefused("unknown_command", f"no lookup '{name}'; there are: {', '.join(NAMES)}")
    given = read_pairs(name, pairs)
    monitor = given.pop("monitor", None)
    command = Command(name, complete(name, given), monitor, ABSENT, ResponseTo())
    monitors = {
        monitor.id: monitor
        for monitor in choose_monitors(sense_client.session.account(), sense_client.config.sense.monitors)
    }
    chosen = monitors[choose_monitor(command, tuple(monitors))]
    return Lookups(clock).prepare(name, chosen, command.arguments)(sense_client.session)


def bridge_discovery(config: Config) -> Iterable[Message]:
    """Return what Home Assistant would get of the bridge itself."""
    return map(to_message, announce_bridge(_discovery_options(config)))


def discovery_messages(sense_client: SenseClient, clock: Clock, *, is_only_account: bool) -> Iterable[Message]:
    """Yield what Home Assistant would get of every monitor of an account, and its devices."""
    config = sense_client.config
    style = _discovery_options(config)
    account, wanted = sense_client.session.account(), config.sense.monitors
    for monitor, name in choose_monitors(account, wanted, is_only_account=is_only_account).items():
        ask = functools.partial(_ask, sense_client, clock, monitor)
        listed, firmware = DevicesListed(read_device_list(ask("devices"))), read_firmware(ask("status"))
        home = Home(monitor.id, name, solar=monitor.solar, firmware=firmware)
        home, _ = observe(home, listed, clock.now(), policy_of(config))
        yield from map(to_message, announce_home(home, style))


def _ask(sense_client: SenseClient, clock: Clock, monitor: Monitor, name: str) -> Any:
    return Lookups(clock).prepare(name, monitor, {})(sense_client.session)


def _discovery_options(config: Config) -> DiscoveryOptions:
    return DiscoveryOptions(__version__, topics_of(config), config.home_assistant.discovery)
