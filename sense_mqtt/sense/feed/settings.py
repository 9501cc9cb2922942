"""Settings of a feed."""

from pathlib import Path

from msgspec import Struct, field

from sense_mqtt.core.backoff import Backoff
from sense_mqtt.sense.feed.fallback import FallbackRules, Mode
from sense_mqtt.sense.feed.websocket_opening import ConnectionSettings


class FeedSettings(Struct, frozen=True):
    """Feed settings: from the configuration, plus fixed limits."""

    state_dir: Path
    url: str = "wss://clientrt.sense.com"
    mode: Mode = "auto"
    poll_interval_s: float = 60.0
    silence_timeout_s: float = 45.0
    timeout_s: float = 30.0
    ca_file: Path | None = None
    device_id: str = ""
    ping_interval_s: float = 15.0  # clients use 10 to 30 s
    max_message_bytes: int = 1_000_000  # the largest known frame has 18 kB; 500 devices take 600 kB
    stable_s: float = 60.0  # a websocket is stable after this time...
    stable_messages: int = 100  # ...or after this number of messages
    closed_early_s: float = 10.0  # a websocket was rejected if Sense closes it within this time...
    closed_early_messages: int = 10  # ...and after fewer messages
    login_check_s: float = 5.0  # between two checks for a session while a login is required
    backoff: Backoff = field(default_factory=Backoff)
    spacing_s: float = 1.0
    max_rejections: int = 3
    max_network_failures: int = 6
    cooldown_first_s: float = 300.0
    cooldown_max_s: float = 14_400.0

    def is_stable(self, lived_s: float, messages: int) -> bool:
        """True once a websocket has delivered enough to forget earlier failures."""
        return messages >= self.stable_messages or (messages > 0 and lived_s >= self.stable_s)

    def closed_early(self, lived_s: float, messages: int) -> bool:
        """True if a websocket ended so soon that it counts as rejected."""
        return lived_s < self.closed_early_s and messages < self.closed_early_messages

    def rules(self) -> FallbackRules:
        """Return the limits and waits of the fallback."""
        return FallbackRules(
            mode=self.mode,
            poll_interval_s=self.poll_interval_s,
            spacing_s=self.spacing_s,
            rejection_spacing_s=5 * self.spacing_s,
            backoff=self.backoff,
            max_rejections=self.max_rejections,
            max_network_failures=self.max_network_failures,
            cooldown_first_s=self.cooldown_first_s,
            cooldown_max_s=self.cooldown_max_s,
        )

    def connection(self, monitor: int) -> ConnectionSettings:
        """Return the settings of one websocket."""
        return ConnectionSettings(
            url=f"{self.url.rstrip('/')}/monitors/{monitor}/realtimefeed",
            device_id=self.device_id,
            timeout_s=self.timeout_s,
            silence_timeout_s=self.silence_timeout_s,
            ping_interval_s=self.ping_interval_s,
            max_message_bytes=self.max_message_bytes,
        )
