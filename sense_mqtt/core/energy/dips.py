"""Which figures of energy are believed: what dips is held back, and what cannot be is never published."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from sense_mqtt.core.energy.periods import COUNTERS, FIGURES, DeviceConsumption, Energy
from sense_mqtt.core.timestamps import Moment, read_timestamp

# What is lower than before is believed once it has lasted for so long after the last good figure. Sense finalises an
# hour some two minutes after its end: until then, an hour and a little, a dip may be one.
HELD_BACK_S = 3900.0
# The most that the panel of a home carries: 400 A at 240 V, twice what most have. Sun and grid come through it too.
PANEL_KW = 96.0
CLOCKS_DIFFER_S = 60.0  # Sense's, which tells the start, and ours

_LONGEST_DAYS = {"DAY": 1, "WEEK": 7, "MONTH": 31, "YEAR": 366, "CYCLE": 366}  # and an hour, where the clocks go back
STANDBY_KWH = 0.5  # an inverter draws up to 20 W at night, and a winter night is long
_NOISE_KWH = 0.0005  # half of the last digit that is published
_HOUSE, _SOLAR = "", " solar"  # in `AcceptedEnergy.held_back`, beside ids of devices, which have no blank
_SOLAR_FIGURES = FIGURES[1:]  # an answer of its own


class AcceptedEnergy(Struct, frozen=True):
    """What may be published, and since when the house or a device is held back."""

    energy: Energy
    read_at: float  # monotonic seconds of the last reading that could be
    held_back: Mapping[str, float] = field(default_factory=dict)  # monotonic seconds of the last good figure


def hold_back_dips(accepted: AcceptedEnergy | None, read: Energy, now: Moment) -> AcceptedEnergy | None:
    """Return what may be published after a reading; what there was, where the reading cannot be.

    Between hours Sense's figures dip and come back (HA#167374), and Home Assistant must not see a counter fall without
    a new `start`. So the house's figures together, and each device's alone, stay as they were where a counter fell or
    a figure went; the figures of the sun alone, where Sense did not give them at all. What is still so HELD_BACK_S
    after the last good figure is no dip but a correction, and is believed; never at the first reading, however long
    after it. An answer about an earlier period is held back whole, as long.

    What is higher than a panel can have carried since the start of the period is no figure, however long it lasts: it
    would be defended against the true ones.
    """
    most_kwh = _most_kwh(read, now.wall)
    if not _house_can_be(read, most_kwh):
        return accepted
    read = replace(read, devices=tuple(device for device in read.devices if device.consumption_kwh <= most_kwh))
    if accepted is None or _starts_later(read, accepted.energy):
        return AcceptedEnergy(read, now.monotonic)
    if read.start != accepted.energy.start:
        held = _hold_back(accepted, [_HOUSE], now)
        return AcceptedEnergy(accepted.energy if held else read, now.monotonic, held)
    return _hold_back_figures(accepted, read, now)


def _hold_back_figures(accepted: AcceptedEnergy, read: Energy, now: Moment) -> AcceptedEnergy:
    """Return what may be published after another reading of the same period."""
    before = {device.id: device for device in accepted.energy.devices}
    after = {device.id: device for device in read.devices}
    fallen = [device.id for device in accepted.energy.devices if _device_fell(device, after.get(device.id))]
    read = _without_standby(accepted.energy, read)
    solar_went = _has_solar(accepted.energy) and not _has_solar(read)
    held = _hold_back(accepted, [*fallen, *([_SOLAR] if solar_went else [])], now)
    house = accepted.energy
    if _SOLAR in held:  # those of before stand beside what else was read
        read = _with_solar_of(house, read)
    elif solar_went:
        house = _with_solar_of(read, house)
    if _house_fell(house, read):
        held |= _hold_back(accepted, [_HOUSE], now)
    chosen = {**after, **{identity: before[identity] for identity in fallen if identity in held}}
    house = accepted.energy if _HOUSE in held else read
    return AcceptedEnergy(replace(house, devices=tuple(chosen.values())), now.monotonic, held)


def _without_standby(before: Energy, read: Energy) -> Energy:
    """Return a reading whose production does not fall by what the inverter draws at night."""
    kept, kwh = before.production_kwh, read.production_kwh
    is_standby = kept is not None and kwh is not None and kept - STANDBY_KWH <= kwh < kept
    return replace(read, production_kwh=kept) if is_standby else read


def _with_solar_of(other: Energy, energy: Energy) -> Energy:
    return replace(energy, **{name: getattr(other, name) for name in _SOLAR_FIGURES})


def _has_solar(energy: Energy) -> bool:
    return any(getattr(energy, name) is not None for name in _SOLAR_FIGURES)


def _starts_later(read: Energy, before: Energy) -> bool:
    return read.start is not None and (before.start is None or read.start > before.start)


def _hold_back(accepted: AcceptedEnergy, subjects: Iterable[str], now: Moment) -> dict[str, float]:
    """Return since when each subject is held back, without those that have been for long enough."""
    good_at = {subject: accepted.held_back.get(subject, accepted.read_at) for subject in subjects}
    return {
        subject: at
        for subject, at in good_at.items()
        if subject not in accepted.held_back or now.monotonic - at <= HELD_BACK_S
    }


def _most_kwh(read: Energy, wall: float) -> float:
    """Return what a panel can have carried from the start of the period until now."""
    seconds = longest_s = _LONGEST_DAYS[read.scale] * 86_400 + 3600.0
    start = read_timestamp(read.start)
    # A start that is to come says that a clock is wrong: the period has its length all the same.
    if start is not None and start <= wall + CLOCKS_DIFFER_S:
        seconds = min(wall - start + CLOCKS_DIFFER_S, longest_s)
    return seconds / 3600 * PANEL_KW


def _house_can_be(read: Energy, most_kwh: float) -> bool:
    figures = [getattr(read, name) for name in (*COUNTERS, "net_production_kwh")]
    return all(abs(figure) <= most_kwh for figure in figures if figure is not None)


def _house_fell(before: Energy, after: Energy) -> bool:
    went = any(getattr(after, name) is None for name in FIGURES if getattr(before, name) is not None)
    return went or any(_fell(getattr(before, name), getattr(after, name)) for name in COUNTERS)


def _device_fell(before: DeviceConsumption, after: DeviceConsumption | None) -> bool:
    return after is None or _fell(before.consumption_kwh, after.consumption_kwh)


def _fell(before: float | None, after: float | None) -> bool:
    return before is not None and after is not None and after < before - _NOISE_KWH
