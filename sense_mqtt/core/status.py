"""The monitor's status, as a capability: what Sense's `status` says of the monitor and of the search for devices.

Read each hour, and a little after Sense says that something has changed (`data_change`). Nothing of it is stored.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from sense_mqtt.core.capability import Capability, Observation, Query, Update
from sense_mqtt.core.changes import Document, Reading
from sense_mqtt.core.entity import Entity, number_entity
from sense_mqtt.core.home.plain_frames import Bounds
from sense_mqtt.core.home.state import Home, Policy, QueryResult
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import DataChange
from sense_mqtt.core.wire.monitor_status import read_status

EVERY_S = 3600.0
CHANGED_WAIT_S = 5.0  # several changes in a row are read once
LEAST_S = 300.0  # between two readings, however often Sense says that something has changed

TOPIC = "status"


def _figure(field: str, key: str, name: str, description: str, icon: str) -> Entity:
    return Entity(key, name, TOPIC, description, icon=icon, field=field, state_class="measurement", diagnostic=True)


MONITOR_ENTITIES = (
    replace(
        number_entity("%", None, 0, 0),
        key="wifi_strength",
        name="Wi-Fi strength",
        topic=TOPIC,
        description="%, of the monitor's wireless network",
        throttle=None,
        icon="mdi:wifi",
        field="wifi_strength",
        diagnostic=True,
    ),
    _figure(
        "detection.num_in_progress",
        "detection_in_progress",
        "Devices in detection",
        "devices Sense is learning",
        "mdi:progress-question",
    ),
    _figure(
        "detection.num_found", "detection_found", "Devices found", "devices Sense has found", "mdi:check-circle-outline"
    ),
    Entity(
        key="new_device_found",
        name="New device found",
        topic=TOPIC,
        description="whether Sense has found a device that nobody has looked at yet",
        icon="mdi:new-box",
        platform="binary_sensor",
        field="new_device_found",
        on_when=True,
    ),
)


class StatusState(Struct, frozen=True):
    """What is known of the status of one monitor."""

    document: Document = field(default_factory=lambda: MappingProxyType({}))  # as read last
    read_at: float = -math.inf  # monotonic s
    changed_at: float = math.inf  # monotonic s, when Sense said that something changed since then
    change: DataChange | None = None  # the newest
    new_device_found: bool | None = None  # None: Sense has not said


class MonitorStatus(Capability[StatusState]):
    """State: see StatusState."""

    key = "status"
    initial = StatusState()
    sees_frames = False
    monitor_entities = MONITOR_ENTITIES

    def passes_over(self, state: StatusState, home: Home, now: Moment, policy: Policy) -> Bounds:  # noqa: ARG002
        return Bounds()

    def queries(self, home: Home, now: Moment, policy: Policy) -> Mapping[str, Query]:  # noqa: ARG002
        """Return the query of the status, by when it is due."""
        state = self.state_of(home)
        soon = max(state.changed_at + CHANGED_WAIT_S, state.read_at + LEAST_S)
        return {"status": Query("status", due=min(state.read_at + EVERY_S, soon))}

    def update(self, state: StatusState, observation: Observation) -> Update[StatusState]:
        seen, now = observation.seen, observation.now.monotonic
        match seen:
            case QueryResult(self.key, _, result):
                document = read_status(result) or state.document
                state = replace(state, document=document, read_at=now, changed_at=math.inf)
            case DataChange():
                is_new = state.change is not None and _checksums(seen) != _checksums(state.change)
                state = replace(
                    state,
                    change=seen,
                    changed_at=min(state.changed_at, now) if is_new else state.changed_at,
                    new_device_found=state.new_device_found if seen.new_device_found is None else seen.new_device_found,
                )
            case _:
                return Update(state)
        return Update(state, [Reading(None, TOPIC, _document(state))] if state.document else ())


STATUS = MonitorStatus()


def _checksums(change: DataChange) -> tuple[str | None, str | None]:
    return change.device_data_checksum, change.monitor_overview_checksum


def _document(state: StatusState) -> Document:
    found = state.new_device_found
    return {**state.document, **({} if found is None else {"new_device_found": found})}
