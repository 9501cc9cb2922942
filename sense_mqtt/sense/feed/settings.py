"""The figures of a feed."""

from dataclasses import dataclass, field
from pathlib import Path

from sense_mqtt.core.backoff import Backoff
from sense_mqtt.sense.feed.fallback import Mode, Rules
from sense_mqtt.sense.feed.websocket_connection import LineSettings


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What the configuration says of the feed, and what it does not."""

    state_dir: Path
    url: str = "wss://clientrt.sense.com"
    mode: Mode = "auto"
    poll_interval_s: float = 60.0
    silence_timeout_s: float = 45.0
    timeout_s: float = 30.0
    ca_file: Path | None = None
    device_id: str = ""
    ping_interval_s: float = 15.0  # clients use 10 to 30 s (facts 4.8)
    message_most_bytes: int = 1_000_000  # the largest known frame has 18 kB (INVARIANTS 15); 500 devices take 600 kB
    healthy_s: float = 60.0  # after so long, or...
    healthy_messages: int = 100  # ...so many messages, a websocket holds
    hasty_s: float = 10.0  # one that is closed within so long, and...
    hasty_messages: int = 10  # ...after so few messages, was refused
    parked_check_s: float = 5.0  # between two looks whether a person has logged in
    backoff: Backoff = field(default_factory=Backoff)
    spacing_s: float = 1.0
    refusals_most: int = 3
    losses_most: int = 6
    cooldown_first_s: float = 300.0
    cooldown_most_s: float = 14_400.0

    def holds(self, lived_s: float, messages: int) -> bool:
        """Whether a websocket that brought so much has proven itself."""
        return messages >= self.healthy_messages or (messages > 0 and lived_s >= self.healthy_s)

    def is_hasty(self, lived_s: float, messages: int) -> bool:
        """Whether a websocket that ended so soon was not wanted."""
        return lived_s < self.hasty_s and messages < self.hasty_messages

    def rules(self) -> Rules:
        """Return the figures of the ladder."""
        return Rules(
            mode=self.mode,
            poll_interval_s=self.poll_interval_s,
            spacing_s=self.spacing_s,
            refusal_spacing_s=5 * self.spacing_s,
            backoff=self.backoff,
            refusals_most=self.refusals_most,
            losses_most=self.losses_most,
            cooldown_first_s=self.cooldown_first_s,
            cooldown_most_s=self.cooldown_most_s,
        )

    def line(self, monitor: int) -> LineSettings:
        """Return the figures of one websocket."""
        return LineSettings(
            url=f"{self.url.rstrip('/')}/monitors/{monitor}/realtimefeed",
            device_id=self.device_id,
            timeout_s=self.timeout_s,
            silence_timeout_s=self.silence_timeout_s,
            ping_interval_s=self.ping_interval_s,
            message_most_bytes=self.message_most_bytes,
        )
