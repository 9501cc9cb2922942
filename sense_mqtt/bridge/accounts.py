"""All Sense accounts, and which of them a monitor belongs to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from sense_mqtt.bridge.account import BridgedAccount
from sense_mqtt.bridge.frame_handler import FrameHandler
from sense_mqtt.bridge.health import count
from sense_mqtt.bridge.jobs import Job, ReadAccount
from sense_mqtt.bridge.monitor import BridgedMonitor
from sense_mqtt.bridge.served import ServedMonitors
from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import Policy
from sense_mqtt.errors import CommandRefused


class Accounts(Struct, frozen=True):
    """For the bridge's thread only."""

    each: Sequence[BridgedAccount]
    served: ServedMonitors

    def of_monitor(self, monitor: int) -> BridgedAccount:
        """Return the account that serves a monitor."""
        return self.each[self.served.accounts[monitor]]

    def of_job(self, job: Job) -> BridgedAccount:
        return self.each[job.account] if isinstance(job, ReadAccount) else self.of_monitor(job.monitor)

    def frames(self, monitor: Any) -> FrameHandler:
        return self.served.frames[monitor]

    def monitors(self) -> Mapping[int, BridgedMonitor]:
        """Return the monitors of all accounts, by id. Raises CommandRefused where none is known yet."""
        if self.served.monitors or any(account.knows_monitors for account in self.each):
            return self.served.monitors
        if any(account.auth == "auth_required" for account in self.each):
            raise CommandRefused("unauthorized", "Sense wants a person to log in: run `sense-mqtt login`")
        raise CommandRefused("unavailable", "Sense has not told yet which monitors there are: ask again later")

    def spend_on_monitors(self, monitors: Iterable[BridgedMonitor]) -> None:
        """Count one reconnection of each feed. Raises BudgetSpent, and counts none, where one account has none left."""
        self._spend(Counter(self.served.accounts[monitor.info.id] for monitor in monitors))

    def spend_on_all(self, reconnections: int) -> None:
        """Count so many reconnections of each account. Raises BudgetSpent likewise."""
        self._spend({account.settings.number: reconnections for account in self.each})

    def _spend(self, reconnections: Mapping[int, int]) -> None:
        budgets = [(self.each[number].access.budgets.reconnections, most) for number, most in reconnections.items()]
        for budget, most in budgets:
            budget.refuse_beyond(most)
        for budget, most in budgets:
            budget.spend(most)

    def set_policy(self, policy: Policy, now: Moment) -> None:
        """Go on with another configuration of homes."""
        for account in self.each:
            account.set_policy(policy, now)

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what the health document says of each account, by name; nothing where there is one without a name."""
        return {
            account.settings.name: {
                "auth": account.auth,
                "monitors": list(account.frames),
                **count(account.access.calls),
            }
            for account in self.each
            if account.settings.name
        }
