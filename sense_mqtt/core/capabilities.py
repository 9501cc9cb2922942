"""THE list of capabilities. How to add one: docs/architecture.md."""

from collections.abc import Iterator
from typing import Any

from sense_mqtt.core.capability import Capability, Query
from sense_mqtt.core.cycles.capability import CYCLES
from sense_mqtt.core.energy.by_period import ENERGY
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.meters.total import METERS
from sense_mqtt.core.solar.sky import SKY
from sense_mqtt.core.solar.surplus import SURPLUS
from sense_mqtt.core.status import STATUS
from sense_mqtt.core.timestamps import Moment

CAPABILITIES: tuple[Capability[Any], ...] = (ENERGY, METERS, SURPLUS, SKY, CYCLES, STATUS)


def all_queries(home: Home, now: Moment, policy: Policy) -> Iterator[tuple[str, str, Query]]:
    """Yield what all capabilities need to read next, each with the capability's key and its own name there."""
    for capability in CAPABILITIES:
        for name, query in capability.queries(home, now, policy).items():
            yield capability.key, name, query
