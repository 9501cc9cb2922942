"""All commands but `run`: what each adds to the command line, and what it does. Imported only for one of them."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from sense_mqtt.assembly.sense_client import SenseClient, connect_each, connect_sense, credentials_of
from sense_mqtt.cli import health, login, lookup, process, recording, report
from sense_mqtt.cli.account_option import add_account, add_config, choose_account
from sense_mqtt.cli.check.command import run_check
from sense_mqtt.cli.listening import add_host, listening, settings_of
from sense_mqtt.cli.run import read_config
from sense_mqtt.clock import Clock, SystemClock
from sense_mqtt.config import example, load, schema
from sense_mqtt.inbox import Inbox
from sense_mqtt.logs.redaction import Redactor

EXIT_DONE, EXIT_FAILED = 0, 1  # contract, section 5

# --- one query to Sense


def _connect(options: argparse.Namespace, clock: Clock, redactor: Redactor) -> SenseClient:
    """Return the account that is meant."""
    config = choose_account(read_config(options.config, os.environ, redactor, "WARNING"), options.account)
    return connect_sense(config, Inbox().put, redactor, clock)


def run_login(options: argparse.Namespace) -> int:
    """Log in for a person or a script, and store the session."""
    clock, redactor = SystemClock(), Redactor()
    sense_client = _connect(options, clock, redactor)
    answers = login.prompt_source(sys.stdin, sys.stderr)
    given = login.LoginOptions(options.email, options.code, options.password_stdin)
    account = login.log_in(
        sense_client, credentials_of(sense_client.config), given, answers, clock, redactor.add_secret
    )
    monitors = ", ".join(str(monitor.id) for monitor in account.monitors) or "none"
    stored = sense_client.config.state_dir
    print(f"logged in; the session is stored in {stored}; monitors: {monitors}")  # noqa: T201 - what was asked for
    return EXIT_DONE


def _add_login(parser: argparse.ArgumentParser) -> None:
    add_account(parser)
    login.add_arguments(parser)


def run_lookup(options: argparse.Namespace) -> int:
    """Send one query to Sense and print the response."""
    clock = SystemClock()
    sense_client = _connect(options, clock, Redactor())
    _print_json(lookup.look_up(sense_client, clock, options.name, options.arguments))
    return EXIT_DONE


def _add_lookup(parser: argparse.ArgumentParser) -> None:
    add_account(parser)
    parser.add_argument("name", metavar="NAME", help=f"one of: {', '.join(lookup.NAMES)}")
    parser.add_argument("arguments", nargs="*", metavar="key=value", help="as in docs/topics.md; also monitor=ID")


def run_discovery(options: argparse.Namespace) -> int:
    """Print the discovery messages for Home Assistant: topic and payload, one message a line."""
    clock, redactor = SystemClock(), Redactor()
    config = read_config(options.config, os.environ, redactor, "WARNING")
    messages = [*lookup.bridge_discovery(config)]
    for sense_client in connect_each(config, Inbox(), redactor, clock):
        messages += lookup.discovery_messages(sense_client, clock, is_only_account=len(config.accounts) <= 1)
    for message in messages:
        print(message.topic, message.payload)  # noqa: T201 - what was asked for
    return EXIT_DONE


# --- what the bridge publishes


def run_watch(options: argparse.Namespace) -> int:
    """Show a live table of the bridge's topics."""
    from rich.console import Console  # these two take long to import

    from sense_mqtt.cli.watch import watch, write_svg

    settings, topics = settings_of(options, read_config(options.config, os.environ, Redactor(), "ERROR"))
    listener = listening(settings, (f"{topics.base}/#",), "watch")
    heading = f"{topics.base}/# on {listener.place}; Ctrl-C ends"
    board = watch(listener, Console(), heading, SystemClock(), options.seconds)
    if options.svg is not None:
        write_svg(options.svg, board, heading)
    return EXIT_DONE


def _add_watch(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_host(parser)
    parser.add_argument("--seconds", type=float, help="end after this time (default: at Ctrl-C)")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write a picture of the table at the end")


def run_health(options: argparse.Namespace) -> int:
    """Print in one line whether the bridge works; return 1 where it does not."""
    settings, topics = settings_of(options, read_config(options.config, os.environ, Redactor(), "ERROR"))
    listener = listening(settings, health.topics_heard(topics), "health")
    result = health.ask(listener.heard, listener.client, SystemClock())
    print(result.text)  # noqa: T201 - what was asked for
    return EXIT_DONE if result.is_healthy else EXIT_FAILED


def _add_health(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_host(parser)


# --- without an account


def run_config(options: argparse.Namespace) -> int:
    """Print the example file, the schema, or what is in force."""
    if options.example:
        print(example(), end="")  # noqa: T201 - what was asked for
    elif options.schema:
        _print_json(schema())
    else:
        _print_json(load(options.config, os.environ, Path.cwd()).public())
    return EXIT_DONE


def _add_config_options(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--example", action="store_true", help="print a file with every key, its default and meaning")
    what.add_argument("--schema", action="store_true", help="print the JSON schema")


def run_simulate(options: argparse.Namespace) -> int:
    """Run the simulated Sense cloud alone."""
    from sense_mqtt.simulator import command  # the simulator needs the extra `demo`

    return command.run(options)


def _add_simulate(parser: argparse.ArgumentParser) -> None:
    from sense_mqtt.simulator import command

    command.add_arguments(parser)


def run_demo(options: argparse.Namespace) -> int:
    """Run everything in one process, with a live table."""
    from sense_mqtt.cli import demo  # the demo needs the extra `demo`

    return demo.run(options)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    from sense_mqtt.cli import demo

    demo.add_arguments(parser)


def _print_json(document: object) -> None:
    print(process.format_json(document))  # noqa: T201 - what was asked for


Adder = Callable[[argparse.ArgumentParser], None]
Runner = Callable[[argparse.Namespace], int]

COMMANDS: Mapping[str, tuple[Adder, Runner]] = {
    "demo": (_add_demo, run_demo),
    "login": (_add_login, run_login),
    "check": (add_config, run_check),
    "lookup": (_add_lookup, run_lookup),
    "watch": (_add_watch, run_watch),
    "health": (_add_health, run_health),
    "record": (recording.add_record, recording.run_record),
    "report": (report.add_report, report.run_report),
    "replay": (recording.add_replay, recording.run_replay),
    "discovery": (add_config, run_discovery),
    "config": (_add_config_options, run_config),
    "simulate": (_add_simulate, run_simulate),
}
