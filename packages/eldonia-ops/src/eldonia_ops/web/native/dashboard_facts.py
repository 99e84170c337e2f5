"""What is known of all dashboards: the schema of their documents, and the units of values."""

from enum import Enum
from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.responses import Response

from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.units import GROUPS, UNITS
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native import dashboard_schemas as shapes
from eldonia_ops.web.native.openapi import operation

_TAGS: list[str | Enum] = ["dashboards"]


def add_to(api: FastAPI) -> None:
    """Add the operations."""

    @api.get("/dashboards/schema", tags=_TAGS, **operation(Permission.READ, dict[str, Any]))
    async def schema() -> Response:
        """The JSON Schema of a dashboard document."""
        return Json(document_schema())

    @api.get("/dashboards/units", tags=_TAGS, **operation(Permission.READ, shapes.UnitsShape))
    async def units() -> Response:
        """All units, and how their values are shown."""
        found = [
            shapes.UnitShape(
                one.id,
                one.group,
                {"en": one.en, "ja": one.ja},
                one.kind,
                one.symbol,
                one.factor,
                one.before,
                [word for word in one.words if word],
            )
            for one in UNITS
        ]
        return Json(shapes.UnitsShape(found, {name: {"en": en, "ja": ja} for name, (en, ja) in GROUPS.items()}))


@cache
def document_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document."""
    found = msgspec.json.schema(Dashboard)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Dashboard of Eldonia Ops", **found}
