"""`sense-mqtt run` by the clock of a simulated house that runs faster than ours. Nothing else differs.

    python -m tests.support.processes.shared_clock_bridge_main CONFIG.yaml CLOCK

CLOCK is the file of tests/support/faults/shared_clock.py. Waiting is done in real seconds, all of them those of `run`.
"""

import sys
from pathlib import Path

from sense_mqtt.cli.run import read_config, run
from sense_mqtt.logs.redaction import Redactor
from tests.support.faults.shared_clock import SharedClock


def main(config_file: str, clock_file: str) -> int:
    """Run until told to stop."""
    redactor = Redactor()
    return run(read_config(Path(config_file), {}, redactor), redactor, SharedClock(Path(clock_file)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
