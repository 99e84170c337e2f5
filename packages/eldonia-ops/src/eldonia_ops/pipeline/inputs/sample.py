"""``@type sample`` (formerly ``dummy``): made-up events, to try a pipeline."""

import json
from dataclasses import dataclass
from typing import Any

from eldonia_ops.pipeline.inputs.input import Input
from eldonia_ops.pipeline.section import Place, SectionReader
from eldonia_ops.pipeline.tag_pattern import TagPattern


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleInput(Input):
    """``rate`` events a second, in messages of ``size``; the ``records`` by turns."""

    type: str = "sample"
    tag: str = ""
    rate: int = 1
    size: int = 1
    records: tuple[dict[str, Any], ...] = ()
    auto_increment_key: str = ""


def sample_input(reader: SectionReader, id: str, label: str, place: Place) -> SampleInput:
    """A ``<source>`` of type sample or dummy."""
    reader.ignore("suspend", "reuse_record")
    tag = reader.string("tag", required=True)
    return SampleInput(
        id=id,
        label=label,
        place=place,
        tag=tag,
        rate=reader.integer("rate", 1, minimum=1),
        size=reader.integer("size", 1, minimum=1),
        records=_records(reader),
        auto_increment_key=reader.string("auto_increment_key"),
        tags=TagPattern.of_texts([[tag]]) if tag else None,
        tags_shown=tag,
    )


def _records(reader: SectionReader) -> tuple[dict[str, Any], ...]:
    found: tuple[dict[str, Any], ...] = ({"message": "sample"},)
    for name in ("sample", "dummy"):
        value = reader.value(name)
        if value is None:
            continue
        try:
            value = json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            reader.problem(f"{name} is not valid JSON: {error}", name)
            continue
        records = value if isinstance(value, list) else [value]
        if not records or not all(isinstance(record, dict) for record in records):
            reader.problem(f"{name} must be a JSON object, or an array of them", name)
            continue
        found = tuple(records)
    return found
