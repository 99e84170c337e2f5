"""Saved searches of logs: everybody who reads sees them, those who respond change them."""

from typing import Annotated

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from eldonia_ops.model.saved_search import SavedSearch
from eldonia_ops.search.parser import MAX_SEARCH
from eldonia_ops.services.api import Platform
from eldonia_ops.services.saved_searches import SavedSearches
from eldonia_ops.web.access import Permission
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.logs import field_of, search_of
from eldonia_ops.web.native.openapi import operation

_ColumnName = Annotated[str, Field(min_length=1, max_length=1_000)]


class SearchBody(BaseModel):
    """A search to save, and the columns in which it is shown beside the usual ones."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    query: str = Field(max_length=MAX_SEARCH)
    columns: list[_ColumnName] = Field(default=[], max_length=20)


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on saved searches."""
    searches = SavedSearches(platform.state)

    @api.get("/logs/searches", tags=["logs"], **operation(Permission.READ, list[SavedSearch]))
    async def find() -> Response:
        """All saved searches by their names."""
        return Json(await searches.all())

    @api.post("/logs/searches", tags=["logs"], **operation(Permission.RESPOND, SavedSearch, status=201))
    async def save(request: Request, body: SearchBody) -> Response:
        """Save a search for all."""
        found = await searches.add(*_checked(request, body), caller_of(request).name, platform.now())
        return Json(found, status_code=201)

    @api.put("/logs/searches/{search}", tags=["logs"], **operation(Permission.RESPOND, SavedSearch))
    async def change(request: Request, search: str, body: SearchBody) -> Response:
        """Replace a saved search."""
        by = caller_of(request).name
        return Json(await searches.change(search, *_checked(request, body), by, platform.now()))

    @api.delete("/logs/searches/{search}", tags=["logs"], **operation(Permission.RESPOND, SavedSearch))
    async def delete(search: str) -> Response:
        """Delete a saved search; the answer is what it was."""
        return Json(await searches.delete(search))


def _checked(request: Request, body: SearchBody) -> tuple[str, str, tuple[str, ...]]:
    """Name, query and columns of a body that can be read.

    Raises:
        QueryError: the query or the name of a column cannot be read.
    """
    search_of(body.query, request.query_params.get("lang", ""))
    for column in body.columns:
        field_of(column)
    return body.name, body.query, tuple(body.columns)
