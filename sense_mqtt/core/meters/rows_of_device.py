"""What Sense's rows say that one device used in an hour, where the device has had several ids in that day.

Sense keeps the hours of before with the id of then, and no kWh is in two rows. Where a
merge moves the hours of its parts to the parent instead, a meter must not count what another part used before it.
"""

from collections.abc import Mapping

from sense_mqtt.core.home.identities import Identities
from sense_mqtt.core.meters.state import HOUR_S


def meter_of(sense_id: str, kwh: float, start: float, identities: Identities) -> str:
    """Return the id of the device whose meter a row of an hour is about, which begins at `start` (s UTC).

    It is what the row's device is a part of by now; itself where the hour began before that. A row of 0 says nothing
    then: Sense may have moved the hour to the parent.
    """
    own = identities.id_of(sense_id)
    parent = identities.parents.get(own, own)
    is_before = start < identities.merged_at.get(parent, 0.0)
    return own if is_before and kwh else parent


def of_device(
    own: str, rows: Mapping[str, float], start: float, identities: Identities, *, is_observed: bool
) -> float | None:
    """Return the kWh of an hour of the meter of a device; None where the rows do not say it.

    `rows`: by Sense's id, all that are of this device or of its parts. `start`: of the hour, s UTC. `is_observed`:
    frames covered the whole hour.
    """
    names = {sense_id: kwh for sense_id, kwh in rows.items() if identities.id_of(sense_id) == own}
    changed_at, has_parts = identities.merged_at.get(own), own in identities.parents.values()
    if changed_at is None or start >= changed_at:
        return _of_merged(own, rows, identities) if has_parts else sum(names.values())
    if not has_parts:
        return None  # it was split since: what it was a part of is not known any more
    if is_observed and start + HOUR_S <= changed_at:
        present = identities.sense_id_of(own)
        names = {sense_id: kwh for sense_id, kwh in names.items() if sense_id == own or sense_id != present}
    return sum(names.values()) if names else None


def _of_merged(own: str, rows: Mapping[str, float], identities: Identities) -> float:
    """Return the kWh of a merged device; its parts may be listed beside it, or in its place."""
    present = rows.get(identities.sense_id_of(own), 0.0)
    return max(present, sum(rows.values()) - present)
