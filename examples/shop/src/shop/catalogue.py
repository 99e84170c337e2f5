"""The works on sale: list, search, one of them."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Query, Request

from shop.database import works
from shop.faults import Faults

routes = APIRouter()


def _read(request: Request, query: sa.Select[Any]) -> list[dict[str, Any]]:
    faults: Faults = request.app.state.faults
    with request.app.state.engine.connect() as connection:
        if faults.slow_database:
            connection.execute(sa.select(sa.func.pg_sleep(faults.slow_database)))
        return [dict(row) for row in connection.execute(query).mappings()]


@routes.get("/works")
def list_works(
    request: Request,
    category: Annotated[str, Query(max_length=30)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> dict[str, Any]:
    """A page of works, of one category if given."""
    query = sa.select(works).order_by(works.c.id).limit(limit).offset(offset)
    if category:
        query = query.where(works.c.category == category)
    return {"works": _read(request, query)}


@routes.get("/works/search")
def search(request: Request, q: Annotated[str, Query(min_length=1, max_length=200)]) -> dict[str, Any]:
    """Works whose title or creator contains the text."""
    query = sa.select(works).where(
        works.c.title.icontains(q, autoescape=True) | works.c.creator.icontains(q, autoescape=True)
    )
    return {"works": _read(request, query.order_by(works.c.id).limit(50))}


@routes.get("/works/{work_id}")
def one_work(request: Request, work_id: int) -> dict[str, Any]:
    """One work; 404 when there is none."""
    found = _read(request, sa.select(works).where(works.c.id == work_id))
    if not found:
        raise HTTPException(404, "There is no such work.")
    return found[0]
