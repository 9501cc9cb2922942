"""The content of a state file as a model: the names of the fields are the keys on disk."""

from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from sense_mqtt.sense.state_file import StateFile


class StateModel(BaseModel):
    """Keys that are missing or cannot be read have their default: what is damaged costs no more than itself."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="wrap")
    @classmethod
    def _default_if_invalid(cls, value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return validate(value)
        except ValidationError:
            field = cls.model_fields[info.field_name or ""]
            if field.is_required():
                raise
            return field.get_default(call_default_factory=True)

    @classmethod
    def load(cls, file: StateFile) -> Self:
        """Return what the file holds; all defaults if it is missing or damaged. Raises StateError."""
        return cls.load_or_none(file) or cls()

    @classmethod
    def load_or_none(cls, file: StateFile) -> Self | None:
        """Return what the file holds; None if it is missing or damaged, or empty. Raises StateError."""
        content = file.load()
        return cls.model_validate(content) if content else None

    def save(self, file: StateFile, *, durable: bool = True) -> None:
        """Write the fields that were given. Raises StateError."""
        file.save(self.model_dump(exclude_unset=True), durable=durable)
