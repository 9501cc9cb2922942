"""`Coverage`: was the house observed at a time, and how do the clocks of frames and timeline relate."""

from statistics import median
from typing import Any

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.transitions.timing import (
    CLOCK_SLACK_S,
    CONTINUOUS_S,
    FRAME_GRACE_S,
    HISTORY_S,
    MAX_GAPS,
    MAX_OFFSETS,
    MIN_OFFSETS,
    NARROW_TOLERANCE_S,
    SHORT_GAP_S,
    TOLERANCE_S,
)


class Coverage(msgspec.Struct, frozen=True):
    """Which times frames have covered. All times are s UTC by the frames' clock, but for `last_frame_at`.

    A frame covers a time if it shows who is off; a frame that lists no virtual device does not.
    """

    known_since: float | None = None  # nothing is known of before; None: no frame has come, ever
    last_observed_at: float | None = None  # the newest frame that showed who is off
    last_observed_earliest: float | None = None  # when that was measured, at the earliest
    unobserved: tuple[tuple[float, float], ...] = ()  # spans without frames, oldest first
    clock_offsets: tuple[float, ...] = ()  # s that the timeline's clock was ahead of the frames', newest last
    is_interrupted: bool = True  # the feed ended: the next frame is the first after a gap
    first_after_gap: bool = False  # the last frame was the first after a gap
    older_frame_seen: bool = False  # the last frame was older than the one before it, and was ignored
    last_epoch: float | None = None  # of the newest frame that told its time
    last_frame_at: float | None = None  # monotonic s

    # --- was the house observed?

    @property
    def is_continuous(self) -> bool:
        """True while the last two frames were so close together that nothing happened unobserved between them."""
        newest = self.last_observed_at
        return newest is not None and not (self.unobserved and self.unobserved[-1][1] >= newest)

    def was_observed(self, time: float) -> bool:
        """True where an edge at `time` would show in frames; times before `known_since` count as observed."""
        if self.known_since is not None and time <= self.known_since:
            return True
        earliest, slack_s = self.last_observed_earliest, self.tolerance_s
        ends_in_gap = self.is_interrupted or not self.is_continuous
        if ends_in_gap and (earliest is None or time >= earliest - slack_s):
            return False
        return not any(start - slack_s <= time <= end + slack_s for start, end in self.unobserved)

    def can_be_decided(self, time: float, hold_s: float, present: float) -> bool:
        """True once no further frame can show an edge at `time`, nor undo it within its hold time."""
        if self.is_interrupted:
            return True
        newest = self.last_observed_at
        if newest is not None and (self.is_continuous or self._last_gap_s <= SHORT_GAP_S):
            return time <= newest - self.grace_s - hold_s
        return time <= present - hold_s  # it may yet turn out to be flapping

    @property
    def _last_gap_s(self) -> float:
        start, end = self.unobserved[-1]
        return end - start

    def is_stale(self, monotonic: float, after_s: float) -> bool:
        """True where no frame came for more than `after_s`."""
        return self.last_frame_at is None or monotonic - self.last_frame_at > after_s

    # --- two clocks

    @property
    def knows_offset(self) -> bool:
        return len(self.clock_offsets) >= MIN_OFFSETS

    @property
    def offset_s(self) -> float:
        """Seconds that the timeline's clock is ahead of the frames'; 0 as long as that is not known."""
        return median(self.clock_offsets) if self.knows_offset else 0.0

    @property
    def tolerance_s(self) -> float:
        """Seconds that the two times of one edge may differ."""
        return NARROW_TOLERANCE_S if self.knows_offset else TOLERANCE_S

    @property
    def grace_s(self) -> float:
        """Seconds in which frames may still show what the timeline told first."""
        return NARROW_TOLERANCE_S + CLOCK_SLACK_S if self.knows_offset else FRAME_GRACE_S

    def with_offsets(self, offsets: tuple[float, ...]) -> "Coverage":
        """Return the coverage with more samples of the clocks' offset, in seconds."""
        return replace(self, clock_offsets=(*self.clock_offsets, *offsets)[-MAX_OFFSETS:]) if offsets else self

    # --- frames come, or end

    def is_outdated(self, epoch: float | None) -> bool:
        """True for the first frame of a connection where Sense sends an old one first.

        A second old one is believed: the clock was set back.
        """
        is_older = epoch is not None and self.last_epoch is not None and epoch < self.last_epoch
        return self.is_interrupted and is_older and not self.older_frame_seen

    def is_gap_before(self, epoch: float | None, longest_s: float) -> bool:
        """True where a frame of this epoch is the first after a gap, or after an outdated frame that hid a gap."""
        if epoch is None or self.last_epoch is None:
            return False
        return epoch - self.last_epoch > (CONTINUOUS_S if self.first_after_gap else longest_s)

    def is_ordinary(self, epoch: float | None) -> bool:
        """True where a frame of this epoch was the newest, showed who is off, and followed another one closely."""
        is_after_gap = self.is_interrupted or self.first_after_gap or self.older_frame_seen or not self.is_continuous
        return epoch is not None and epoch == self.last_epoch == self.last_observed_earliest and not is_after_gap

    def after_plain_frames(self, epoch: float, arrived: float) -> "Coverage":
        """Return the coverage after frames that showed who is off and followed each other closely, and the newest."""
        since = max(self.known_since or 0.0, epoch - HISTORY_S)
        return replace(
            self,
            last_epoch=epoch,
            last_frame_at=arrived,
            last_observed_at=epoch,
            last_observed_earliest=epoch,
            known_since=since,
            unobserved=tuple(span for span in self.unobserved if span[1] >= since),
        )

    def after_interruption(self) -> "Coverage":
        """Return the coverage once the feed has ended."""
        return replace(self, is_interrupted=True, older_frame_seen=False)

    def after_frame(self, epoch: float | None, arrived: float) -> "Coverage":
        """Return the coverage after a frame that does not show who is off."""
        return replace(self, **self._frame_fields(epoch, arrived, shows_absence=False))

    def after_sample(self, epoch: float | None, arrived: float, time: float, uncertainty_s: float) -> "Coverage":
        """Return the coverage after a frame that shows who is off, measured at `time` or up to so long before."""
        fields = self._frame_fields(epoch, arrived, shows_absence=True)
        return replace(self, **fields, **self._sample_fields(time, uncertainty_s))

    def _frame_fields(self, epoch: float | None, arrived: float, *, shows_absence: bool) -> dict[str, Any]:
        # Two frames a second share an epoch: one that is not newer does not end the gap, nor one that shows nobody off.
        is_same = epoch is not None and epoch == self.last_epoch
        return {
            "is_interrupted": self.is_interrupted and (is_same or not shows_absence),
            "first_after_gap": self.is_interrupted,
            "older_frame_seen": False,
            "last_epoch": self.last_epoch if epoch is None else epoch,
            "last_frame_at": arrived,
        }

    def _sample_fields(self, time: float, uncertainty_s: float) -> dict[str, Any]:
        earliest = time - uncertainty_s
        if self.known_since is None or self.last_observed_earliest is None:
            return {"known_since": time, "last_observed_at": time, "last_observed_earliest": earliest}
        spans = self.unobserved
        if time - self.last_observed_earliest > CONTINUOUS_S:
            # Polls leave span after span: they are one.
            is_joined = spans and spans[-1][1] >= self.last_observed_earliest
            start = spans[-1][0] if is_joined else self.last_observed_earliest
            spans = (*(spans[:-1] if is_joined else spans), (start, time))
        since = max(self.known_since, time - HISTORY_S)
        kept = tuple(span for span in spans[-MAX_GAPS:] if span[1] >= since) if spans else spans
        return {"last_observed_at": time, "last_observed_earliest": earliest, "unobserved": kept, "known_since": since}
