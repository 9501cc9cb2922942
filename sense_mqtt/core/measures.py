"""What one frame says of the whole house, each reading a number or None where it does not tell; and numbers as text."""

from collections.abc import Callable

from sense_mqtt.core.frames import RealtimeUpdate

Measure = Callable[[RealtimeUpdate], float | None]


def power(update: RealtimeUpdate) -> float | None:
    return update.w


def solar_power(update: RealtimeUpdate) -> float | None:
    # Inverters draw a few watts at night; production is never below 0 (contract 1.1).
    return None if update.solar_w is None else max(0.0, update.solar_w)


def grid_power(update: RealtimeUpdate) -> float | None:
    if update.grid_w is not None:
        return update.grid_w
    return None if update.solar_w is None else update.w - update.solar_w  # frames before 2020 (INVARIANTS 4)


def solar_share(update: RealtimeUpdate) -> float | None:
    share = update.solar_pct
    if share is None and update.solar_w is not None and update.w > 0:
        share = 100 * update.solar_w // update.w  # INVARIANTS 6
    return None if share is None else min(100.0, max(0.0, share))


def leg_1_power(update: RealtimeUpdate) -> float | None:
    return _leg(update.channels, 0)


def leg_2_power(update: RealtimeUpdate) -> float | None:
    return _leg(update.channels, 1)


def leg_1_voltage(update: RealtimeUpdate) -> float | None:
    return _leg(update.voltage, 0)


def leg_2_voltage(update: RealtimeUpdate) -> float | None:
    return _leg(update.voltage, 1)


def frequency(update: RealtimeUpdate) -> float | None:
    return update.hz


def _leg(values: tuple[float, ...], leg: int) -> float | None:
    return values[leg] if len(values) > leg else None


def write_number(value: float, decimals: int) -> str:
    """Return a plain decimal number with so many decimals; a zero has no sign."""
    written = f"{value:.{decimals}f}"
    return written.removeprefix("-") if float(written) == 0 else written
