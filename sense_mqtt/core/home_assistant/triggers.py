"""Device triggers: what an automation in Home Assistant can begin with, as `"device" turned on`.

They hear the topic of events, which is not retained: nothing that becomes available again, and no restart, sets them
off. Type and subtype are stored in people's automations and must never change; so they hold no name. Facts: Home
Assistant 2026.2, components/mqtt/device_trigger.py; its frontend shows `"<subtype>" <type>`.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class DeviceTrigger(Struct, frozen=True):
    """One event type of a monitor or device, as a trigger."""

    event_type: str
    type: str  # for ever
    subtype: str  # for ever
    only_now: bool = False  # not for what is told more than a minute late: an automation would act on what is over
    needs: str | None = None  # key of an entity: the trigger is there where this entity is
    plugs_only: bool = False

    @property
    def key(self) -> str:
        """The last part of its discovery id."""
        return f"trigger_{self.event_type}"


DEVICE_TRIGGERS = (
    DeviceTrigger("turned_on", "turned on", "device", only_now=True, needs="state"),
    DeviceTrigger("turned_off", "turned off", "device", only_now=True, needs="state"),
    DeviceTrigger("idle", "became idle", "device", only_now=True, needs="state", plugs_only=True),
    DeviceTrigger("cycle_finished", "finished a cycle", "device", needs="running"),
)
MONITOR_TRIGGERS = (
    DeviceTrigger("device_found", "found a device", "monitor"),
    DeviceTrigger("monitor_offline", "went offline", "monitor"),
    DeviceTrigger("monitor_online", "came online", "monitor"),
)


def describe_trigger(trigger: DeviceTrigger, topic: str) -> Mapping[str, Any]:
    """Return the keys of one component, `platform` aside; `topic`: where the events are told."""
    return {
        "automation_type": "trigger",
        "type": trigger.type,
        "subtype": trigger.subtype,
        "topic": topic,
        "payload": trigger.event_type,
        "value_template": f"{{{{ value_json.event_type{' if not value_json.late' if trigger.only_now else ''} }}}}",
        "qos": 1,
    }
