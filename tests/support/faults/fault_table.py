"""The faults that can be injected: a table; plan.py chooses by name.

Each is a context manager: it begins, the harness lets the house go on, it ends. All of a step end together, so `clear`
may clear what another fault of the step set.
"""

from dataclasses import dataclass

from tests.support.faults.bridge_faults import (
    crash_at,
    fill_disk,
    freeze_bridge,
    jump_clock,
    kill_bridge,
    restart_bridge,
)
from tests.support.faults.cloud_faults import (
    cache_first_frames,
    close_early,
    drop_sockets,
    expire_tokens,
    refuse,
    send_malformed_frames,
    send_no_frames,
)
from tests.support.faults.connection_faults import cut, freeze_broker, kill_broker, misbehave
from tests.support.faults.crash_points import MOMENTS
from tests.support.faults.world import Begin


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault."""

    where: str  # feed, REST or broker connection, broker, bridge, disk, cloud, clock
    what: str  # for people
    begin: Begin


FAULTS: dict[str, Fault] = {
    "feed_cut": Fault("feed connection", "connection closed", cut("feed_proxy", reset=False)),
    "feed_reset": Fault("feed connection", "connection reset, frames under way lost", cut("feed_proxy", reset=True)),
    "feed_refused": Fault("feed connection", "reset, then refused", cut("feed_proxy", reset=True, refuse=True)),
    "feed_stalled": Fault("feed connection", "nothing comes through", misbehave("feed_proxy", down="stall")),
    "feed_half_open": Fault(
        "feed connection",
        "nothing comes through either way, then cut",
        misbehave("feed_proxy", up="stall", down="stall", ends=True),
    ),
    "feed_byte_by_byte": Fault("feed connection", "byte by byte", misbehave("feed_proxy", down="byte_by_byte")),
    "feed_garbage": Fault(
        "feed connection", "garbage between the frames", misbehave("feed_proxy", down="insert_garbage")
    ),
    "feed_garbage_up": Fault("feed connection", "garbage towards Sense", misbehave("feed_proxy", up="insert_garbage")),
    "rest_refused": Fault("REST connection", "refused, after a gap", cut("rest_proxy", reset=True, refuse=True)),
    "rest_stalled": Fault(
        "REST connection", "nothing comes through, after a gap", misbehave("rest_proxy", down="stall", gap=True)
    ),
    "rest_byte_by_byte": Fault(
        "REST connection", "byte by byte, after a gap", misbehave("rest_proxy", down="byte_by_byte", gap=True)
    ),
    "rest_garbage": Fault(
        "REST connection", "garbage in answers, after a gap", misbehave("rest_proxy", down="insert_garbage", gap=True)
    ),
    "broker_cut": Fault("broker connection", "connection closed", cut("broker_proxy", reset=False)),
    "broker_reset": Fault("broker connection", "connection reset", cut("broker_proxy", reset=True)),
    "broker_refused": Fault("broker connection", "reset, then refused", cut("broker_proxy", reset=True, refuse=True)),
    "broker_acknowledgements_stalled": Fault(
        "broker connection", "acknowledgements do not come through", misbehave("broker_proxy", down="stall")
    ),
    "broker_messages_stalled": Fault(
        "broker connection", "messages do not come through", misbehave("broker_proxy", up="stall")
    ),
    "broker_byte_by_byte": Fault(
        "broker connection",
        "byte by byte, both ways",
        misbehave("broker_proxy", up="byte_by_byte", down="byte_by_byte"),
    ),
    "broker_garbage": Fault(
        "broker connection", "garbage to the broker", misbehave("broker_proxy", up="insert_garbage")
    ),
    "broker_garbage_down": Fault(
        "broker connection", "garbage from the broker", misbehave("broker_proxy", down="insert_garbage")
    ),
    "broker_killed": Fault("broker", "SIGKILL, started again with nothing retained", kill_broker),
    "broker_frozen": Fault("broker", "SIGSTOP, SIGCONT", freeze_broker),
    "bridge_killed": Fault("bridge", "kill -9 at any moment, a gap", kill_bridge),
    **{f"crash_{moment}": Fault("bridge", f"kill -9, {where}", crash_at(moment)) for moment, where in MOMENTS.items()},
    "bridge_restarted": Fault("bridge", "SIGTERM, a gap", restart_bridge),
    "bridge_frozen": Fault("bridge", "the host sleeps (SIGSTOP, SIGCONT), the clock has moved on", freeze_bridge),
    "disk_full": Fault("disk", "no byte more can be written", fill_disk),
    "clock_jumps": Fault("clock", "the host's clock jumps by up to 2 h, and back", jump_clock),
    "cloud_gap": Fault("cloud", "all sockets dropped, a gap", drop_sockets),
    "cloud_500": Fault("cloud", "HTTP 500 with an HTML page to everything, a gap", refuse(500)),
    "cloud_503": Fault("cloud", "HTTP 503 to everything, a gap", refuse(503)),
    "cloud_429": Fault("cloud", "HTTP 429, Retry-After 1 s, a gap", refuse(429, retry_after=1)),
    "cloud_hangs": Fault("cloud", "requests are never answered, a gap", refuse(0)),
    "cloud_cuts": Fault("cloud", "requests are cut off, a gap", refuse(-1)),
    "timeline_503": Fault("cloud", "the timeline alone answers HTTP 503, a gap", refuse(503, "timeline")),
    "timeline_hangs": Fault("cloud", "the timeline alone is never answered, a gap", refuse(0, "timeline")),
    "silence": Fault(
        "cloud", "no frames on an open socket while the house goes on", send_no_frames("silent", drop=False)
    ),
    "offline": Fault("cloud", "the monitor is offline while the house goes on", send_no_frames("offline", drop=True)),
    "garbage": Fault("cloud", "one to three frames that are none, or lack something", send_malformed_frames),
    "cached_frame": Fault("cloud", "the first frame of a socket is an old one, a gap", cache_first_frames),
    "early_close": Fault("cloud", "each socket is closed after a few frames", close_early),
    "token_expired": Fault("cloud", "the access token is refused", expire_tokens),
}
NAMES = tuple(FAULTS)
