"""The bridge under test: `sense-mqtt run` with the house's clock, short waits and crash points.

Started by bridge_under_test.py. What differs from `run` is time alone; every part that does the work is the real one.
"""

import functools
import json
import sys
from pathlib import Path
from typing import Any

from sense_mqtt.assembly.assemble import Factories
from sense_mqtt.assembly.timing import Timing
from sense_mqtt.cli.run import read_config, run
from sense_mqtt.config import Config
from sense_mqtt.core.backoff import Backoff
from sense_mqtt.logs.redaction import Redactor
from tests.support.faults.crash_points import CrashingBroker, CrashingInbox, CrashingJournal, CrashPoint
from tests.support.faults.shared_clock import SharedClock

RETRY = Backoff(first_s=0.1, most_s=0.4, least_s=0.02)
TIMING = Timing(
    rest_spacing_s=0.01,
    feed_spacing_s=0.02,
    feed=RETRY,
    broker=RETRY,
    scheduler=RETRY,
    tick_s=0.1,
    polled_timeline_s=0.5,
    timeline_lag_s=2.0,
)


def main(settings_file: str) -> int:
    """Run until told to stop, or until a crash point is reached."""
    settings = json.loads(Path(settings_file).read_text())
    redactor, crash_point = Redactor(), CrashPoint()
    config = _shorten(read_config(Path(settings["config"]), {}, redactor, settings["log_level"]), settings)
    factories = Factories(
        functools.partial(CrashingJournal, crash_point=crash_point),
        functools.partial(CrashingBroker, crash_point=crash_point),
    )
    crash_point.listen(sys.stdin)
    clock = SharedClock(Path(settings["clock"]))
    return run(config, redactor, clock, TIMING, factories, CrashingInbox(crash_point))


def _shorten(config: Config, settings: dict[str, Any]) -> Config:
    """Set waits below what people may set: 5 s of silence would be half of a schedule."""
    shorter = {
        section: getattr(config, section).model_copy(update=settings["shorter"].get(section, {}))
        for section in ("sense", "feed", "mqtt")
    }
    return config.model_copy(update=shorter | {"log_level": settings["log_level"].lower()})
