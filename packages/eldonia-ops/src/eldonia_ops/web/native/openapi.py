"""Describes what operations answer with, from the very types that are encoded."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from eldonia_ops.model.labels import Labels
from eldonia_ops.web.access import Permission
from eldonia_ops.web.gate import demands


class ErrorFields(msgspec.Struct, omit_defaults=True):
    """What went wrong. ``position`` is the 0-based character offset of a fault in a query, -1 for one at no place;
    ``field`` names the parameter with the query where there are several; ``problems`` are all faults of a document."""

    code: str
    message: str
    hint: str = ""
    position: int = -1
    field: str = ""
    problems: list[dict[str, Any]] = []


class ErrorShape(msgspec.Struct):
    """The body of every answer that is no success."""

    error: ErrorFields


_TEMPLATE = "#/components/schemas/{name}"
_answers: dict[str, Any] = {}  # the types by their names in the document's drafts, which hold only JSON


def operation(
    demand: Permission, answer: Any = None, *, media: str = "application/json", status: int = 200
) -> dict[str, Any]:
    """Keyword arguments for a FastAPI route: what it demands and the type that it answers with.

    ``answer`` is any type that msgspec can describe; :func:`describe` puts its schema into the document.
    """
    extra = demands(demand)["openapi_extra"]
    schema: Any = {"type": "string"}
    if answer is not None:
        schema = {"x-answer": repr(answer)}
        _answers[repr(answer)] = answer
    return {
        "openapi_extra": extra,
        "status_code": status,
        "response_model": None,
        "responses": {status: {"description": "Done.", "content": {media: {"schema": schema}}}},
    }


def describe(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application whose routes were declared with :func:`operation`."""
    document = get_openapi(
        title=api.title, version=api.version, description=api.description, routes=api.routes, servers=api.servers
    )
    pending: list[tuple[dict[str, Any], Any]] = []
    for path in document["paths"].values():
        for entry in path.values():
            # FastAPI's own description of a 422 is not what we answer; ours is that of every error.
            entry.get("responses", {}).pop("422", None)
            error: dict[str, Any] = {}
            pending.append((error, ErrorShape))
            entry["responses"]["default"] = {
                "description": "It failed.",
                "content": {"application/json": {"schema": error}},
            }
            for answer in entry["responses"].values():
                if len(answer.get("content", {})) > 1:  # FastAPI adds JSON of any kind beside what was declared
                    answer["content"] = {media: one for media, one in answer["content"].items() if one.get("schema")}
                for content in answer.get("content", {}).values():
                    schema = content.get("schema", {})
                    if "x-answer" in schema:
                        pending.append((schema, _answers[schema.pop("x-answer")]))
    schemas, components = msgspec.json.schema_components(
        [type_ for _, type_ in pending], schema_hook=_schema, ref_template=_TEMPLATE
    )
    for (place, _), schema in zip(pending, schemas, strict=True):
        place.update(schema)
    parts = document.setdefault("components", {})
    parts["schemas"] = {**components, **parts.get("schemas", {})}
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic", "description": "Any user name, the token as password."},
    }
    document["security"] = [{"bearer": []}, {"basic": []}]
    return document


def _schema(type_: type) -> dict[str, Any]:
    if type_ is Labels:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    raise NotImplementedError(type_)
