"""Saved searches of logs and queries: everybody who reads sees them, those who respond change them."""

from typing import Annotated

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from eldonia_ops.model.saved_search import SavedSearch
from eldonia_ops.search.parser import MAX_SEARCH
from eldonia_ops.services.api import Platform, QueryError
from eldonia_ops.services.saved_searches import SavedSearches
from eldonia_ops.web.access import Permission
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.logs import field_of, pipeline_of
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.promql import MAX_QUERY, checked

_ColumnName = Annotated[str, Field(min_length=1, max_length=1_000)]


class SearchBody(BaseModel):
    """A search to save, and the columns in which it is shown beside the usual ones."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    query: str = Field(max_length=MAX_SEARCH)
    columns: list[_ColumnName] = Field(default=[], max_length=20)


class QueryBody(BaseModel):
    """A query in PromQL to save."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    query: str = Field(min_length=1, max_length=MAX_QUERY)


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on saved searches and queries."""
    _add_searches(api, platform)
    _add_queries(api, platform)


def _add_searches(api: FastAPI, platform: Platform) -> None:
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


def _add_queries(api: FastAPI, platform: Platform) -> None:
    queries = SavedSearches(platform.state, "promql")

    @api.get("/promql/searches", tags=["metrics"], **operation(Permission.READ, list[SavedSearch]))
    async def find() -> Response:
        """All saved queries by their names."""
        return Json(await queries.all())

    @api.post("/promql/searches", tags=["metrics"], **operation(Permission.RESPOND, SavedSearch, status=201))
    async def save(request: Request, body: QueryBody) -> Response:
        """Save a query for all."""
        query = _query_of(body)
        found = await queries.add(body.name, query, (), caller_of(request).name, platform.now())
        return Json(found, status_code=201)

    @api.put("/promql/searches/{query}", tags=["metrics"], **operation(Permission.RESPOND, SavedSearch))
    async def change(request: Request, query: str, body: QueryBody) -> Response:
        """Replace a saved query."""
        text = _query_of(body)
        return Json(await queries.change(query, body.name, text, (), caller_of(request).name, platform.now()))

    @api.delete("/promql/searches/{query}", tags=["metrics"], **operation(Permission.RESPOND, SavedSearch))
    async def delete(query: str) -> Response:
        """Delete a saved query; the answer is what it was."""
        return Json(await queries.delete(query))


def _query_of(body: QueryBody) -> str:
    """A query that can be read.

    Raises:
        QueryError: it cannot.
    """
    found = checked(body.query)
    if not found.valid:
        raise QueryError(found.message, found.position)
    return body.query


def _checked(request: Request, body: SearchBody) -> tuple[str, str, tuple[str, ...]]:
    """Name, query and columns of a body that can be read.

    Raises:
        QueryError: the query or the name of a column cannot be read.
    """
    pipeline_of(body.query, request.query_params.get("lang", ""))
    for column in body.columns:
        field_of(column)
    return body.name, body.query, tuple(body.columns)
