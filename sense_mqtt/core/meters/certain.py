"""What of a meter is so certain that it may be published: what was published is never taken back."""

import math

from sense_mqtt.core.meters.state import Figures, Meters, add

DEVIATIONS = 2.0  # so many standard deviations below what was integrated is certain


def certain_figures(state: Meters) -> Figures:
    """Return the kWh of each counter, less what they may be too high by in hours that are not settled."""
    variances: Figures = {}
    for hour in state.variances.values():
        variances = add(variances, hour)
    if not variances:
        return state.totals
    return {each: kwh - DEVIATIONS * math.sqrt(variances.get(each, 0.0)) for each, kwh in state.totals.items()}
