"""A home as it is when the bridge begins to serve it."""

from msgspec.structs import replace

from sense_mqtt.bridge.monitor import Services
from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.stored_home import restore
from sense_mqtt.recording.notes import HomeRestored, Note
from sense_mqtt.sense.auth.tokens import Monitor


def restore_home(info: Monitor, name: str, policy: Policy, services: Services, now: Moment) -> Home:
    """Return what was stored of a home, with its name and what the account says of it. Raises JournalError."""
    rows = services.publisher.recall(info.id)
    home = restore(info.id, rows, policy)
    home = replace(home, name=name, solar=home.solar or info.solar)
    services.recorder.note(Note(now, info.id, HomeRestored(rows, name, home.solar)))
    return home
