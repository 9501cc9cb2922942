"""`sense-mqtt check`: all checks of all accounts, a line each."""

import argparse
import logging
import os

from sense_mqtt.assembly.sense_client import connect_each
from sense_mqtt.cli.check.checks import CheckContext
from sense_mqtt.cli.check.context import build_context
from sense_mqtt.cli.check.runner import run_checks
from sense_mqtt.cli.run import config_source, read_config
from sense_mqtt.clock import SystemClock
from sense_mqtt.inbox import Inbox
from sense_mqtt.logs.redaction import Redactor


def run_check(options: argparse.Namespace) -> int:
    """Run all checks and print a line for each; return the exit code of the first that fails."""
    clock, redactor = SystemClock(), Redactor()

    def prepare() -> list[CheckContext]:
        config = read_config(options.config, os.environ, redactor, "WARNING")
        for name in ("sense_mqtt.sense.auth.session", "sense_mqtt.mqtt.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # the findings say it
        return [build_context(one, clock) for one in connect_each(config, Inbox(), redactor, clock)]

    exit_codes = []
    for finding in run_checks(prepare, config_source(options.config, os.environ)):
        print(redactor.redact(str(finding)), flush=True)  # noqa: T201 - what was asked for
        exit_codes.append(finding.exit_code)
    return next(filter(None, exit_codes), 0)
