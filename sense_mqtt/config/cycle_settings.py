"""`cycle` of a device: how its cycle ends, or `off`."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from sense_mqtt.config.section import Section
from sense_mqtt.core.cycles.appliances import DEFAULT_PAUSE_S


class CycleSettings(Section):
    """The cycle of a device that pauses between the phases of a run."""

    pause_s: float = Field(
        default=DEFAULT_PAUSE_S, ge=1, le=86400, description="a cycle is over once nothing has run for so long"
    )


_NO_CYCLE = CycleSettings.model_construct(pause_s=0.0)  # as DeviceRules has it


def _read(given: Any) -> Any:
    if given == "off":
        return _NO_CYCLE
    if given is None or isinstance(given, dict):
        return given
    raise ValueError("must be off, or hold pause_s: {pause_s: 300}")


CycleRule = Annotated[
    CycleSettings | None,
    BeforeValidator(_read),
    WithJsonSchema({"anyOf": [CycleSettings.model_json_schema(), {"const": "off"}, {"type": "null"}]}),
]
