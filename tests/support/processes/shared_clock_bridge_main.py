"""`sense-mqtt run` by the clock of a simulated house that runs faster than ours. Nothing else differs.

    python -m tests.support.processes.shared_clock_bridge_main CONFIG.yaml CLOCK

CLOCK is the file of tests/support/faults/shared_clock.py. Waiting is done in real seconds, all of them those of `run`.
"""

import logging
import sys
from pathlib import Path

from sense_mqtt.assembly import assemble, connect_sense
from sense_mqtt.cli import process
from sense_mqtt.config import load
from sense_mqtt.inbox import Inbox
from sense_mqtt.redaction import Redactor
from tests.support.faults.shared_clock import SharedClock


def main(config_file: str, clock_file: str) -> int:
    """Run until told to stop."""
    redactor, inbox, clock = Redactor(), Inbox(), SharedClock(Path(clock_file))
    process.start_logging(redactor, "INFO")
    config = load(Path(config_file), {}, Path.cwd())
    logging.getLogger("sense_mqtt").setLevel(config.log_level.upper())
    redactor.add_secret(*config.secrets())
    process.forward_process_events(inbox)
    return assemble(config, inbox, connect_sense(config, inbox, redactor, clock), clock).run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
