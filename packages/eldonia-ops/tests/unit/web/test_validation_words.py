"""Nothing of the library that validates reaches a person."""

from enum import StrEnum
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from eldonia_ops.web.validation_words import faults_in_words


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=5)
    colour: Colour = Colour.RED
    count: int = Field(default=1, ge=1, le=9)
    share: float = Field(default=0.5, gt=0, lt=1)
    on: bool = True
    words: list[str] = Field(default_factory=list, max_length=2)
    inner: "Body | None" = None

    @field_validator("words")
    @classmethod
    def _checked(cls, value: list[str]) -> list[str]:
        if "no" in value:
            raise ValueError("no is not a word that is taken")
        return value


def said(body: Any) -> str:
    try:
        Body.model_validate(body)
    except ValidationError as error:
        # As FastAPI hands them on: the first part of the place says where in the request it is.
        return faults_in_words([{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()])
    return ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "name is missing"),
        ({"name": ""}, "name is empty"),
        ({"name": "a" * 6}, "name has more than 5 characters"),
        ({"name": 3}, "name must be a text"),
        ({"name": "a", "colour": "gren"}, "colour is one of red, green, not 'gren' (did you mean 'green'?)"),
        ({"name": "a", "count": 0}, "count must be at least 1"),
        ({"name": "a", "count": 10}, "count must be at most 9"),
        ({"name": "a", "count": "x"}, "count must be a whole number"),
        ({"name": "a", "share": 1}, "share must be less than 1.0"),
        ({"name": "a", "on": "perhaps"}, "on must be true or false"),
        ({"name": "a", "words": "b"}, "words must be a list"),
        ({"name": "a", "words": ["a", "b", "c"]}, "words has more than 2 items"),
        ({"name": "a", "words": ["no"]}, "words: no is not a word that is taken"),
        ({"name": "a", "more": 1}, "more is not known here"),
        ({"name": "a", "inner": {}}, "inner.name is missing"),
        ({"name": "", "count": 0}, "name is empty; count must be at least 1"),
        ([], "the body must be an object"),
    ],
)
def test_faults_in_words(body, words):
    assert said(body) == words


def test_a_long_value_is_cut():
    assert len(said({"name": "a", "colour": "x" * 5_000})) < 150
