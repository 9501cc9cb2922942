"""The rows of energy by period in the table of entities."""

from msgspec.structs import replace

from sense_mqtt.core.energy.periods import NET_PRODUCTION_PCT, SCALES
from sense_mqtt.core.entity import Entity, number_entity

PERIOD_NAMES = {
    "DAY": "today",
    "WEEK": "this week",
    "MONTH": "this month",
    "YEAR": "this year",
    "CYCLE": "this billing cycle",
}

_ENERGY = replace(number_entity("kWh", "energy", 3, 2), throttle=None, state_class="total")
_SHARE = replace(number_entity("%", None, 0, 0), throttle=None, icon="mdi:solar-power-variant")


def topic_of(scale: str) -> str:
    """Return the topic of one period, below that of the monitor or device."""
    return f"energy/{scale.lower()}"


def _figure(template: Entity, field: str, name: str, description: str, *, solar_only: bool = True) -> Entity:
    return replace(template, field=field, name=name, description=description, solar_only=solar_only)


HOUSE_ENERGY: tuple[Entity, ...] = (
    _figure(_ENERGY, "consumption_kwh", "Energy", "kWh used by the house", solar_only=False),
    _figure(_ENERGY, "production_kwh", "Solar energy", "kWh produced by solar"),
    _figure(_ENERGY, "from_grid_kwh", "Energy from grid", "kWh imported"),
    _figure(_ENERGY, "to_grid_kwh", "Energy to grid", "kWh exported"),
    _figure(_ENERGY, "net_production_kwh", "Net solar energy", "kWh, production less consumption"),
    _figure(_SHARE, "solar_powered_pct", "Solar powered", "% of the consumption covered by solar"),
    _figure(_SHARE, NET_PRODUCTION_PCT, "Net solar production", "%, production as a share of the consumption"),
)
DEVICE_ENERGY = _figure(_ENERGY, "consumption_kwh", "Energy", "kWh used by the device", solar_only=False)


def _on_every_scale(figure: Entity) -> tuple[Entity, ...]:
    field = str(figure.field)
    stem = field if field == NET_PRODUCTION_PCT else field.rpartition("_")[0]
    return tuple(
        replace(
            figure,
            key=f"{stem}_{scale.lower()}",
            name=f"{figure.name} {PERIOD_NAMES[scale]}",
            topic=topic_of(scale),
            description=f"{figure.description} {PERIOD_NAMES[scale]}",
            enabled=scale == "DAY",
        )
        for scale in SCALES
    )


MONITOR_ENTITIES = tuple(row for figure in HOUSE_ENERGY for row in _on_every_scale(figure))
DEVICE_ENTITIES = _on_every_scale(DEVICE_ENERGY)
