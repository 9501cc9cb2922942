"""THE list of capabilities. How to add one: docs/architecture.md."""

from collections.abc import Iterator
from typing import Any

from sense_mqtt.core.capability import Capability, Query
from sense_mqtt.core.energy.by_period import ENERGY
from sense_mqtt.core.solar.surplus import SURPLUS

CAPABILITIES: tuple[Capability[Any], ...] = (ENERGY, SURPLUS)


def all_queries() -> Iterator[tuple[str, str, Query]]:
    """Yield the queries of all capabilities, each with the capability's key and its own name there."""
    for capability in CAPABILITIES:
        for name, query in capability.queries.items():
            yield capability.key, name, query


def find_query(capability: str, name: str) -> Query:
    """Return the query of one capability, by both keys of `all_queries`."""
    return next(query for key, other, query in all_queries() if (key, other) == (capability, name))
