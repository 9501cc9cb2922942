"""All constants of time and count that decide which edges are published.

"Frames lag" means: a frame arrives 0.7 to 14 s after the measurement that it shows.
"""

# --- frames: was the house observed?
CONTINUOUS_S = 3.0  # two frames at most so far apart leave nothing unobserved: six missed frames in a row
SHORT_GAP_S = 15.0  # a longer gap is treated as a disconnection, or as the way from one poll to the next
LONG_GAP_S = 30.0  # in a stream; clients take so long a silence for a dead socket
POLL_LAG_S = 20.0  # a polled frame may be so old: frames lag by up to 14 s, and the host's clock is a little off
HISTORY_S = 3600.0  # coverage and published edges are kept so long; the timeline is not believed about earlier times

# --- samples of one device
MAX_ENERGY_STEP_S = 150.0  # the energy of a run is unknown where two samples are further apart: 2.5 polls of 60 s
MAX_CLOCK_SLIP_S = 120.0  # steps back of the monitor's clock up to this are smoothed, larger ones believed
MAX_OUTDATED_S = 3600.0  # a sample older than the timeline's edge by more than this: the clock was set back
SIGHTING_S = 15.0  # a new device waits so long for the list of devices, which is asked for at once
SETTLE_S = 1.0  # added to the hold time where no further sample comes

# --- the timeline and the frames, two clocks
CLOCK_SLACK_S = 1.0  # frames carry whole seconds, and the two clocks never quite agree
TOLERANCE_S = 20.0  # two times of one edge differ by at most this: frames lag; until the offset of the clocks is known
NARROW_TOLERANCE_S = 5.0  # the same once the offset is known
MIN_OFFSETS, MAX_OFFSETS = 3, 15  # matched edges that tell the offset of the clocks (count)
FRAME_GRACE_S = 15.0  # frames lag: so long after an edge of the timeline a frame may still show it
SAME_ITEM_S = 0.5  # an item that Sense rewrites keeps its time; that of another edge is further away
KNOWN_SINCE_MARGIN_S = 40.0  # an item so shortly before the first frame may be an edge that a frame showed
MAX_FUTURE_S = 3600.0  # an item later than this from now is an error of a clock
UNKNOWN_DEVICE_TIMEOUT_S = 300.0  # an item of a device that is not known yet waits so long for the device
SHORT_RUN_S = 60.0  # a longer run shows in frames: Sense takes some ten seconds to detect one
FLICKER_S = 2.0  # hold times up to this are for frames that omit a device for a moment; the timeline omits none

# --- how much is kept
MAX_EDGES = 64  # published edges of one device (count)
MAX_GAPS = 64  # spans without frames (count)
