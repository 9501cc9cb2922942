"""Standard streams, logging and signals, the same for every command."""

import argparse
import contextlib
import gc
import io
import json
import logging
import resource
import signal
import sys
import threading
from types import FrameType

from sense_mqtt.core.plain_text import escape_hidden
from sense_mqtt.errors import ConfigError, SenseMqttError
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Crashed, Reload, Stop
from sense_mqtt.logs.redaction import RedactingFormatter, Redactor

logger = logging.getLogger(__name__)

GC_THRESHOLDS = 5_000, 20, 100  # objects; collections of the young generation; of the middle one


def prepare_streams() -> None:
    """Make any text printable, whatever the locale, and any byte readable: `is_text` tells what is no text."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")


def is_text(given: str) -> bool:
    """Tell whether a shell, an environment or a standard input gave us UTF-8 text, not other bytes."""
    return not any("\ud800" <= letter <= "\udfff" for letter in given)


def check_options(options: argparse.Namespace) -> None:
    """Refuse what is neither text nor the path of a file. Raises ConfigError."""
    for name, value in vars(options).items():
        words = value if isinstance(value, list) else [value]
        if not all(is_text(word) for word in words if isinstance(word, str)):
            raise ConfigError(f"{name}: is not UTF-8 text; correct the command line, or the terminal's encoding")


def describe_error(error: SenseMqttError) -> str:
    """Return what a command says when it fails: one line, or one for each fault of the configuration."""
    lines = str(error).split("\n") if isinstance(error, ConfigError) else [str(error)]
    return "\n".join(map(escape_hidden, lines))


def format_json(document: object) -> str:
    """Return JSON for standard output: with letters of all languages where its encoding has them, else in ASCII."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(document, indent=2)
    return text


def start_logging(redactor: Redactor, level: str) -> None:
    """Write our log, and the warnings of libraries, to standard error, without secrets."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(redactor))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("sense_mqtt").setLevel(level)


def forward_process_events(inbox: Inbox) -> None:
    """Put termination signals and crashed threads into the inbox, and SIGHUP, which reloads the configuration."""

    def stop(number: int, _frame: FrameType | None) -> None:
        inbox.put(Stop(signal.Signals(number).name))

    def crash(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "unknown"
        logger.error("thread %s", name, exc_info=args.exc_value)
        inbox.put(Crashed(name, f"{args.exc_type.__name__}: {args.exc_value}"))

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, lambda *_: inbox.put(Reload()))
    threading.excepthook = crash


def allow_open_files() -> None:
    """Let this process have as many files open as the system allows it: each home has a websocket.

    The usual limit of 1,024 is that of programs that use select; nothing here does.
    """
    with contextlib.suppress(OSError, ValueError):  # then the limit stays as it is
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def limit_garbage_collection() -> None:
    """Let the garbage collector leave alone what was imported, and look seldom at all that has lived for long.

    Nothing else goes on meanwhile: with 100 homes it takes 40 ms or more. Little garbage has cycles here: what is known
    of a home never refers to itself.
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
