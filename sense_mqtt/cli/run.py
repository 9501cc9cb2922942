"""Start the bridge: the one way in for the command line, the demo, and tests with another clock, timing or parts."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from msgspec.structs import replace

from sense_mqtt import __version__
from sense_mqtt.assembly.assemble import Factories, assemble
from sense_mqtt.assembly.sense_client import SenseClient, connect_each
from sense_mqtt.assembly.timing import Timing
from sense_mqtt.cli.extras import how_to_install
from sense_mqtt.cli.process import (
    allow_open_files,
    forward_process_events,
    limit_garbage_collection,
    start_logging,
)
from sense_mqtt.cli.reload import Reloader
from sense_mqtt.cli.report_data import ReportSource
from sense_mqtt.cli.service_manager import ServiceManager
from sense_mqtt.clock import Clock, SystemClock
from sense_mqtt.config import Config, load
from sense_mqtt.config.load import USUAL_FILES, find_file
from sense_mqtt.errors import ConfigError
from sense_mqtt.inbox import Inbox
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.sense.single_instance import SingleInstanceLock
from sense_mqtt.web.state import WebState

logger = logging.getLogger(__name__)


def read_config(file: Path | None, environ: Mapping[str, str], redactor: Redactor, level: str = "INFO") -> Config:
    """Read the configuration, and log without its secrets. Raises ConfigError.

    Logging starts before the file is read, as reading may warn.
    """
    start_logging(redactor, level)
    config = reread_config(file, environ, redactor)
    if config.log_level in ("debug", "info"):
        logger.info("the configuration is read from %s", config_source(file, environ))
    return config


def config_source(file: Path | None, environ: Mapping[str, str]) -> str:
    """Say which file the configuration is read from."""
    found = find_file(file, environ, Path.cwd())
    return str(Path.cwd() / found) if found else f"the environment alone: there is neither {' nor '.join(USUAL_FILES)}"


def reread_config(file: Path | None, environ: Mapping[str, str], redactor: Redactor) -> Config:
    """Read the configuration where logging has started; its secrets will not be logged. Raises ConfigError."""
    config = load(file, environ, Path.cwd())
    redactor.add_secret(*config.secrets())
    return config


def run(
    config: Config,
    redactor: Redactor,
    clock: Clock | None = None,
    timing: Timing | None = None,
    factories: Factories | None = None,
    inbox: Inbox | None = None,
    read_again: Callable[[], Config] | None = None,
) -> int:
    """Run the bridge until a signal stops it; return the exit code. For the main thread, which gets the signals.

    `read_again` reads the configuration at SIGHUP; it raises ConfigError.
    """
    logging.getLogger("sense_mqtt").setLevel(config.log_level.upper())
    inbox = Inbox() if inbox is None else inbox  # an empty one is false
    forward_process_events(inbox)
    allow_open_files()
    limit_garbage_collection()
    return run_until_stopped(config, redactor, inbox, clock, timing, factories, read_again)


def run_until_stopped(
    config: Config,
    redactor: Redactor,
    inbox: Inbox,
    clock: Clock | None = None,
    timing: Timing | None = None,
    factories: Factories | None = None,
    read_again: Callable[[], Config] | None = None,
) -> int:
    """Run the bridge until the inbox holds `Stop`; return the exit code. For any thread.

    Raises StateError and ConfigError.
    """
    clock, factories = clock or SystemClock(), factories or Factories()
    with SingleInstanceLock(config.state_dir) as lock, ReportSource(config, redactor) as report:
        factories = replace(factories, recorders=(*factories.recorders, report.recent))
        sense_clients = connect_each(config, inbox, redactor, clock, timing)
        if not sense_clients:
            logger.warning("shard.index %d: no account is assigned to this process", config.shard.index)
        with _page(config, sense_clients, redactor, clock) as page:
            bridge = assemble(config, inbox, sense_clients, clock, timing, factories, page)
            bridge.add_periodic_task("the state directory", lock.maintain)
            bridge.add_periodic_task("the report", report.of(bridge))
            manager = ServiceManager(os.environ, bridge.describe)
            bridge.add_periodic_task("the service manager", manager.maintain)
            if read_again:
                bridge.on_reload(Reloader(bridge, config, manager, read_again).reload)
            logger.info("sense-mqtt %s starts", __version__)
            exit_code = bridge.run()
            manager.end()
            return exit_code


def _page(
    config: Config, sense_clients: Sequence[SenseClient], redactor: Redactor, clock: Clock
) -> AbstractContextManager[WebState | None]:
    """Return what serves the page, where it is enabled. Raises ConfigError."""
    if not config.web.enabled:
        return nullcontext()
    try:
        from sense_mqtt.cli.page import page_served
    except ModuleNotFoundError as error:
        raise ConfigError(f"web.enabled: the page needs {error.name}: {how_to_install('web')}") from error
    return page_served(config, sense_clients, redactor, clock)
