"""The monitors of all accounts: which are served, and by which account."""

import logging
from collections.abc import Collection

from msgspec import Struct, field

from sense_mqtt.bridge.account_access import AccountOptions
from sense_mqtt.bridge.frame_handler import FrameHandler
from sense_mqtt.bridge.monitor import BridgedMonitor
from sense_mqtt.sense.auth.tokens import Account, Monitor

logger = logging.getLogger(__name__)


class ServedMonitors(Struct, frozen=True):
    """What is served, by the monitor's id. Accounts add to it. For the bridge's thread only."""

    monitors: dict[int, BridgedMonitor] = field(default_factory=dict)
    frames: dict[int, FrameHandler] = field(default_factory=dict)
    accounts: dict[int, int] = field(default_factory=dict)  # the place of the monitor's account
    names: dict[int, str] = field(default_factory=dict)  # of accounts, by their place

    def add(self, handler: FrameHandler, account: AccountOptions) -> None:
        """Note that an account serves a monitor."""
        number = handler.monitor.info.id
        self.monitors[number] = handler.monitor
        self.frames[number] = handler
        self.accounts[number] = account.number
        self.names[account.number] = account.name

    def choose(self, account: Account, settings: AccountOptions) -> dict[Monitor, str]:
        """Return the monitors that this account is to serve, each with its name in Home Assistant.

        A monitor that another account serves already is left to it: two would publish on the same topics.
        """
        chosen = choose_monitors(account, settings.wanted, is_only_account=settings.is_only_one)
        elsewhere = [one for one in chosen if self.accounts.get(one.id, settings.number) != settings.number]
        for monitor in elsewhere:
            text = (
                "accounts: %s and %s both have monitor %s: it is served by %s; leave it out of the other's `monitors`"
            )
            other = self.names[self.accounts[monitor.id]]
            logger.warning(text, other, settings.name, monitor.id, other)
            del chosen[monitor]
        return chosen


def choose_monitors(account: Account, wanted: Collection[int], *, is_only_account: bool = True) -> dict[Monitor, str]:
    """Return the monitors to serve, each with its name in Home Assistant; none wanted means all."""
    served = [monitor for monitor in account.monitors if not wanted or monitor.id in wanted]
    is_only = is_only_account and len(served) == 1
    return {monitor: "Sense" if is_only else f"Sense {monitor.id}" for monitor in served}
