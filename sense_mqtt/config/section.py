"""What all sections of the configuration share: how strict they are, and the types of their values."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Delay = Annotated[float, Field(ge=0, le=3600)]  # seconds
Watts = Annotated[float, Field(gt=0, le=100_000)]


class Section(BaseModel):
    """Keys that belong together; immutable, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)
