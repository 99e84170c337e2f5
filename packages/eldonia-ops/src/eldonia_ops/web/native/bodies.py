"""What the bodies of requests to the native API have in common, but for tokens, whose names are refused instead."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from eldonia_ops.model.foreign import clean_text


class Body(BaseModel):
    """A JSON object without unknown keys, whose texts are cleaned as what comes in by any other way is.

    So a name is one and the same for what is kept in memory, what a database holds, and labels that it must equal.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: clean_text(value) if isinstance(value, str) else value for name, value in given.items()}
