"""All of a home that must survive a restart: of the home itself, and of each capability."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.capability import Capability
from sense_mqtt.core.home import snapshot as of_home
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.wire.devices import mapping


def snapshot(home: Home, capabilities: Iterable[Capability[Any]] = CAPABILITIES) -> dict[str, Any]:
    """Return what a later process must know, in JSON's types."""
    taken = {capability.key: capability.snapshot(capability.state_of(home)) for capability in capabilities}
    stored = {key: document for key, document in taken.items() if document is not None}
    return {**of_home.snapshot(home), **({"capabilities": stored} if stored else {})}


def restore(
    monitor: int,
    document: Mapping[str, Any],
    policy: Policy,
    capabilities: Iterable[Capability[Any]] = CAPABILITIES,
) -> Home:
    """Return the home of a snapshot; what cannot be read is as if it were not known."""
    stored = mapping(document.get("capabilities"))
    states = {each.key: each.restore(stored[each.key]) for each in capabilities if each.key in stored}
    return replace(of_home.restore(monitor, document, policy), capabilities=states)
