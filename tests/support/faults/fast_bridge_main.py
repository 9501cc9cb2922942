"""The bridge under test: `sense-mqtt run` with the house's clock, short waits, and a doom. Started by bridge_life.py.

    python -m tests.support.faults.fast_bridge_main SETTINGS.json

What differs from `run` is time alone; every part that does the work is the real one.
"""

import functools
import json
import sys
from pathlib import Path
from typing import Any

from sense_mqtt.assembly import Factories, Timing, assemble, connect_sense
from sense_mqtt.cli import process
from sense_mqtt.config import Config, load
from sense_mqtt.core.backoff import Backoff
from sense_mqtt.redaction import Redactor
from tests.support.faults.crash_points import CrashingBroker, CrashingInbox, CrashingJournal, CrashPoint
from tests.support.faults.shared_clock import SharedClock

RETRY = Backoff(first_s=0.1, most_s=0.4, least_s=0.02)
HASTE = {
    "rest_spacing_s": 0.01,
    "feed_spacing_s": 0.02,
    "feed": RETRY,
    "broker": RETRY,
    "schedules": RETRY,
    "tick_s": 0.1,
    "blind_every_s": 0.5,
    "timeline_lag_s": 2.0,
}


def main(settings_file: str) -> int:
    """Run until told to stop, or until doom."""
    settings = json.loads(Path(settings_file).read_text())
    redactor, doom, clock = Redactor(), CrashPoint(), SharedClock(Path(settings["clock"]))
    process.start_logging(redactor, settings["log_level"])
    config = _shorten(load(Path(settings["config"]), {}, Path.cwd()), settings)
    redactor.add_secret(*config.secrets())
    inbox = CrashingInbox(doom)
    process.forward_process_events(inbox)
    timing = Timing(**HASTE)
    factories = Factories(functools.partial(CrashingJournal, doom=doom), functools.partial(CrashingBroker, doom=doom))
    bridge = assemble(config, inbox, connect_sense(config, inbox, redactor, clock, timing), clock, timing, factories)
    doom.listen(sys.stdin)
    return bridge.run()


def _shorten(config: Config, settings: dict[str, Any]) -> Config:
    """Set waits below what people may set: 5 s of silence would be half of a schedule."""
    shorter = {
        section: getattr(config, section).model_copy(update=settings["shorter"].get(section, {}))
        for section in ("sense", "feed", "mqtt")
    }
    return config.model_copy(update=shorter)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
