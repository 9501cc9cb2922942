"""What of a meter is so certain that it may be published: what was published is never taken back."""

import math

from sense_mqtt.core.meters.state import SPARE_KWH, Figures, Meters, add

DEVIATIONS = 2.0  # so many standard deviations below what was integrated is certain


def certain_figures(state: Meters) -> Figures:
    """Return the kWh of each counter, less what they may be too high by in hours that are not settled."""
    variances: Figures = {}
    for hour in state.variances.values():
        variances = add(variances, hour)
    if not variances:
        return state.totals
    return {each: kwh - DEVIATIONS * math.sqrt(variances.get(each, 0.0)) for each, kwh in state.totals.items()}


def with_known_most(state: Meters) -> Meters:
    """Return the meters where Sense has settled the hour in which this process resumed those of a crash.

    All that was published before the crash had been used by then, but for what had been integrated too high.
    """
    settled = state.candidates.get(state.hour_of(state.resumed_at), {}) if state.resumed_at is not None else {}
    most = {
        counter: state.totals[counter] + SPARE_KWH
        for counter, candidate in settled.items()
        if candidate.is_settled and counter in state.unsure
    }
    lower = {counter: kwh for counter, kwh in most.items() if kwh < state.shown[counter]}
    return state._replace(shown={**state.shown, **lower}, reserved={**state.reserved, **lower}) if lower else state
