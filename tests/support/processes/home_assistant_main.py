"""Runs a real Home Assistant, headless, until it is told to stop. For Home Assistant's own Python, not ours.

    HOME_ASSISTANT_VENV/bin/python home_assistant_main.py CONFIG_DIR BROKER_PORT

CONFIG_DIR has a configuration.yaml. A token for its interfaces is written to CONFIG_DIR/token.
Each warning and error of Home Assistant goes to standard output, a line each.
SIGTERM stops it as a person does, so that it writes down what it restores at its next start.
"""

import asyncio
import json
import logging
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant import bootstrap, runner  # type: ignore[import-not-found,unused-ignore]

USER = "tests"
MOMENT = "2026-01-01T00:00:00+00:00"


class WarningsToOutput(logging.Handler):
    """Prints what Home Assistant complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().replace("\n", " ")
        print(record.levelname, record.name, text, flush=True)


def add_broker(config: Path, port: int) -> None:
    """Write down the entry that a person makes in Home Assistant for the broker; an entry that is there stays."""
    entries = config / ".storage" / "core.config_entries"
    if entries.exists():
        return
    entry = {
        "entry_id": "01JSENSEMQTTEXAMPLES000000",
        "domain": "mqtt",
        "title": "broker",
        "data": {"broker": "127.0.0.1", "port": port, "discovery": True, "discovery_prefix": "homeassistant"},
        "options": {},
        "subentries": [],
        "discovery_keys": {},
        "source": "user",
        "unique_id": None,
        "version": 1,
        "minor_version": 1,
        "disabled_by": None,
        "created_at": MOMENT,
        "modified_at": MOMENT,
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
    }
    entries.parent.mkdir(parents=True, exist_ok=True)
    document = {"version": 1, "minor_version": 1, "key": "core.config_entries", "data": {"entries": [entry]}}
    entries.write_text(json.dumps(document))


async def write_token(home_assistant: Any, config: Path) -> None:
    """Write down a token of a user that may do everything, who is made at the first start."""
    users = [user for user in await home_assistant.auth.async_get_users() if user.name == USER]
    user = users[0] if users else await home_assistant.auth.async_create_user(USER, group_ids=["system-admin"])
    refresh = await home_assistant.auth.async_create_refresh_token(
        user, client_id="http://127.0.0.1/", access_token_expiration=timedelta(days=1)
    )
    token = home_assistant.auth.async_create_access_token(refresh)
    await home_assistant.async_add_executor_job((config / "token").write_text, token)


async def main(config: Path, port: int) -> int:
    add_broker(config, port)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    started = runner.RuntimeConfig(config_dir=str(config), skip_pip=True, log_no_color=True)
    home_assistant = await bootstrap.async_setup_hass(started)
    if home_assistant is None:
        return 1
    logging.getLogger().addHandler(WarningsToOutput())
    await write_token(home_assistant, config)
    await home_assistant.async_start()
    await stop.wait()
    await home_assistant.async_stop(force=True)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]))))
