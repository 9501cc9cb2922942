"""What one frame says of the whole house: each reading a number, or None where it does not tell."""

from sense_mqtt.core.wire.frames import RealtimeUpdate


def power(update: RealtimeUpdate) -> float | None:
    return update.w


def solar_power(update: RealtimeUpdate) -> float | None:
    return update.solar_w


def grid_power(update: RealtimeUpdate) -> float | None:
    # Not `grid_w`: it is cut to whole watts, and homes without solar were seen with another figure than `w`.
    # Of the figures as they are published, so that these three always add up.
    return None if update.solar_w is None else round(update.w, 1) - round(update.solar_w, 1)


def surplus_power(update: RealtimeUpdate) -> float | None:
    """Return the watts that would be exported now."""
    grid_w = grid_power(update)
    return None if grid_w is None else max(0.0, -grid_w)


def solar_share(update: RealtimeUpdate) -> float | None:
    # Not `solar_pct`: it is cut to whole per cent, and old frames have none.
    if update.solar_w is None:
        return None
    if update.solar_w >= update.w:
        return 100.0 if update.solar_w > 0 else 0.0  # also where nothing is consumed
    return 100 * update.solar_w / update.w


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
