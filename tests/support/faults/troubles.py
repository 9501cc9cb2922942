"""The troubles that can come: a table; plan.py chooses by name.

Each is a context manager: it begins, the harness lets the house go on, it ends. All of a step end together, so `clear`
may clear what another trouble of the step set.
"""

from dataclasses import dataclass

from tests.support.faults.bridge_troubles import doom, fill_disk, freeze_bridge, jump_clock, kill_bridge, restart_bridge
from tests.support.faults.cloud_troubles import (
    cache_first_frames,
    close_early,
    drop_sockets,
    expire_tokens,
    garble_frames,
    mute,
    refuse,
)
from tests.support.faults.crash_points import MOMENTS
from tests.support.faults.line_troubles import cut, freeze_broker, kill_broker, line
from tests.support.faults.world import Begin


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble."""

    where: str  # feed line, REST line, broker line, broker, bridge, disk, cloud, clock
    what: str  # for people
    begin: Begin


TROUBLES: dict[str, Trouble] = {
    "feed_cut": Trouble("feed line", "connection closed", cut("feed_line", reset=False)),
    "feed_reset": Trouble("feed line", "connection reset, frames under way lost", cut("feed_line", reset=True)),
    "feed_refused": Trouble("feed line", "reset, then refused", cut("feed_line", reset=True, refuse=True)),
    "feed_stalled": Trouble("feed line", "nothing comes through", line("feed_line", down="stall")),
    "feed_half_open": Trouble(
        "feed line",
        "nothing comes through either way, then cut",
        line("feed_line", up="stall", down="stall", ends=True),
    ),
    "feed_dribbled": Trouble("feed line", "byte by byte", line("feed_line", down="dribble")),
    "feed_garbled": Trouble("feed line", "garbage between the frames", line("feed_line", down="garble")),
    "feed_garbled_up": Trouble("feed line", "garbage towards Sense", line("feed_line", up="garble")),
    "rest_refused": Trouble("REST line", "refused, after a gap", cut("rest_line", reset=True, refuse=True)),
    "rest_stalled": Trouble(
        "REST line", "nothing comes through, after a gap", line("rest_line", down="stall", gap=True)
    ),
    "rest_dribbled": Trouble("REST line", "byte by byte, after a gap", line("rest_line", down="dribble", gap=True)),
    "rest_garbled": Trouble("REST line", "garbage in answers, after a gap", line("rest_line", down="garble", gap=True)),
    "broker_cut": Trouble("broker line", "connection closed", cut("broker_line", reset=False)),
    "broker_reset": Trouble("broker line", "connection reset", cut("broker_line", reset=True)),
    "broker_refused": Trouble("broker line", "reset, then refused", cut("broker_line", reset=True, refuse=True)),
    "broker_mute": Trouble("broker line", "acknowledgements do not come through", line("broker_line", down="stall")),
    "broker_deaf": Trouble("broker line", "messages do not come through", line("broker_line", up="stall")),
    "broker_dribbled": Trouble(
        "broker line", "byte by byte, both ways", line("broker_line", up="dribble", down="dribble")
    ),
    "broker_garbled": Trouble("broker line", "garbage to the broker", line("broker_line", up="garble")),
    "broker_garbled_down": Trouble("broker line", "garbage from the broker", line("broker_line", down="garble")),
    "broker_killed": Trouble("broker", "SIGKILL, started again with nothing retained", kill_broker),
    "broker_frozen": Trouble("broker", "SIGSTOP, SIGCONT", freeze_broker),
    "bridge_killed": Trouble("bridge", "kill -9 at any moment, a gap", kill_bridge),
    **{f"doomed_{moment}": Trouble("bridge", f"kill -9, {where}", doom(moment)) for moment, where in MOMENTS.items()},
    "bridge_restarted": Trouble("bridge", "SIGTERM, a gap", restart_bridge),
    "bridge_frozen": Trouble("bridge", "the host sleeps (SIGSTOP, SIGCONT), the clock has moved on", freeze_bridge),
    "disk_full": Trouble("disk", "no byte more can be written", fill_disk),
    "clock_jumps": Trouble("clock", "the host's clock jumps by up to 2 h, and back", jump_clock),
    "cloud_gap": Trouble("cloud", "all sockets dropped, a gap", drop_sockets),
    "cloud_500": Trouble("cloud", "HTTP 500 with an HTML page to everything, a gap", refuse(500)),
    "cloud_503": Trouble("cloud", "HTTP 503 to everything, a gap", refuse(503)),
    "cloud_429": Trouble("cloud", "HTTP 429, Retry-After 1 s, a gap", refuse(429, retry_after=1)),
    "cloud_hangs": Trouble("cloud", "requests are never answered, a gap", refuse(0)),
    "cloud_cuts": Trouble("cloud", "requests are cut off, a gap", refuse(-1)),
    "timeline_503": Trouble("cloud", "the timeline alone answers HTTP 503, a gap", refuse(503, "timeline")),
    "timeline_hangs": Trouble("cloud", "the timeline alone is never answered, a gap", refuse(0, "timeline")),
    "silence": Trouble("cloud", "no frames on an open socket while the house goes on", mute("silent", drop=False)),
    "offline": Trouble("cloud", "the monitor is offline while the house goes on", mute("offline", drop=True)),
    "garbage": Trouble("cloud", "one to three frames that are none, or lack something", garble_frames),
    "cached_frame": Trouble("cloud", "the first frame of a socket is an old one, a gap", cache_first_frames),
    "early_close": Trouble("cloud", "each socket is closed after a few frames", close_early),
    "token_expired": Trouble("cloud", "the access token is refused", expire_tokens),
}
NAMES = tuple(TROUBLES)
