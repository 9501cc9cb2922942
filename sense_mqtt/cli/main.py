"""The command line: subcommands and exit codes."""

import argparse
import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from sense_mqtt import __version__
from sense_mqtt.assembly.assemble import Factories
from sense_mqtt.cli import process
from sense_mqtt.cli.account_option import add_config
from sense_mqtt.cli.run import read_config, reread_config, run
from sense_mqtt.config import Config
from sense_mqtt.errors import SenseMqttError
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.recording.notes import Recorder

EXIT_STOPPED = 0  # contract, section 5; what failed carries its own exit code
Command = tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]

COMMANDS: Mapping[str, str] = {
    "run": "run the bridge",
    "demo": "run the bridge with a simulated Sense cloud and an MQTT broker",
    "login": "log in to Sense and store the session",
    "check": "test the configuration, Sense, the MQTT broker and Home Assistant",
    "lookup": "send one query to Sense and print the response",
    "watch": "show a live table of what the bridge publishes",
    "health": "tell whether the bridge works, for a container's health check",
    "record": "write what comes from Sense to a file, without names and secrets",
    "report": "write one archive for a bug report, without names and secrets",
    "replay": "print the events that a recording leads to",
    "discovery": "print the discovery messages for Home Assistant",
    "config": "print the configuration that is in force, without secrets",
    "simulate": "run the simulated Sense cloud alone",
}


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    given = sys.argv[1:] if argv is None else argv
    process.prepare_streams()
    options = _parse(given)
    run_command: Callable[[argparse.Namespace], int] = options.run
    try:
        process.check_options(options)
        exit_code = run_command(options)
        sys.stdout.flush()
    except SenseMqttError as error:
        print(process.describe_error(error), file=sys.stderr)  # noqa: T201 - an error of the command line
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_STOPPED
    except BrokenPipeError:  # the reader of our output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python reports the closed pipe when it ends
        return EXIT_STOPPED
    return exit_code


def _parse(given: list[str]) -> argparse.Namespace:
    parser = _parser(given)
    options, others = parser.parse_known_args(given)
    # argparse takes no more positional arguments after an option: `lookup device --config FILE id=1a2b3c4d`.
    if others and not (hasattr(options, "arguments") and all(_is_pair(word) for word in others)):
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    if others:
        options.arguments += others
    return options


def _is_pair(word: str) -> bool:
    return "=" in word and not word.startswith("-")


def _parser(given: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sense-mqtt", description="The Sense Home Energy Monitor on MQTT.")
    parser.add_argument("--version", action="version", version=f"sense-mqtt {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, about in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        if name in given:  # `run` must not import what only others need
            add_arguments, run_command = _find(name)
            add_arguments(command)
            command.set_defaults(run=run_command)
    return parser


def _find(name: str) -> Command:
    if name == "run":
        return _add_run, run_bridge
    from sense_mqtt.cli.commands import COMMANDS as OTHERS

    return OTHERS[name]


# --- run


def run_bridge(options: argparse.Namespace) -> int:
    """Run the bridge until it is told to stop."""
    redactor = Redactor()
    config = read_config(options.config, os.environ, redactor)
    with _recorders(options.record, config, redactor) as recorders:
        factories = Factories(recorders=recorders)
        read_again = functools.partial(reread_config, options.config, os.environ, redactor)
        return run(config, redactor, factories=factories, read_again=read_again)


def _recorders(file: Path | None, config: Config, redactor: Redactor) -> AbstractContextManager[Sequence[Recorder]]:
    if file is None:
        return nullcontext(())
    from sense_mqtt.cli.recording import recorders

    return recorders(file, config, redactor)


def _add_run(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="write what comes from Sense to a new file, for `replay`"
    )
