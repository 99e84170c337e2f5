"""A program: asks an application of FastAPI's in which routes are under prefixes and mounts, and prints what it is
called, by path and by how the middleware was put on. The version of FastAPI is up to the interpreter that runs it."""

import json
import tempfile

import fastapi
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import eldonia_telemetry as telemetry
from eldonia_telemetry.testing import capture

WANTED = {
    "/users/1": "/users/{id}",
    "/v1/orders/1": "/v1/orders/{id}",
    "/v1/orders/3/lines/1": "/v1/orders/{order_id}/lines/{id}",
    "/direct/1": "/direct/{id}",
    "/plain/1": "/plain/{x}",
    "/included/plain/1": "/included/plain/{x}",
    "/admin/1": "/admin/{id}",
    "/admin/deep/4/x": "/admin/deep/{id}/x",
    "/admin/deep/parts/1": "/admin/deep/parts/{id}",
    "/tenants/acme/parts/1": "/tenants/{tenant}/parts/{id}",
    "/star/1/r/2": "/star/{z}/r/{q}",
    "/star/1/n/2": "/star/{z}/n/{w}",
    "/static/nothing.txt": "/static/*",
    "/tenants/acme/none": "/tenants/{tenant}/*",
    "/admin/none/none": "/admin/*",
    "/none": "unmatched",
}


def plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse("x")


def show(id: int) -> int:
    return id


def router(path: str, **options: str) -> APIRouter:
    made = APIRouter(**options)  # type: ignore[arg-type]
    made.get(path)(show)
    return made


def build(root_path: str = "") -> FastAPI:
    orders = router("/{id}")
    orders.include_router(router("/{id}", prefix="/lines"), prefix="/{order_id}")
    old = APIRouter()
    old.add_route("/plain/{x}", plain)
    admin, deep, tenant = FastAPI(), FastAPI(), FastAPI()
    deep.include_router(router("/{id}"), prefix="/parts")
    deep.get("/{id}/x")(show)
    admin.mount("/deep", deep)
    admin.get("/{id}")(show)
    tenant.include_router(router("/{id}"), prefix="/parts")
    app = FastAPI(root_path=root_path)
    app.include_router(router("/{id}"), prefix="/users")
    app.include_router(orders, prefix="/v1/orders")
    app.include_router(old, prefix="/included")
    app.get("/direct/{id}")(show)
    app.add_route("/plain/{x}", plain)
    app.mount("/admin", admin)
    app.mount("/tenants/{tenant}", tenant)
    app.mount("/star/{z}", Starlette(routes=[Route("/r/{q}", plain), Mount("/n", routes=[Route("/{w}", plain)])]))
    app.mount("/static", StaticFiles(directory=tempfile.gettempdir()))
    return app


def ask(served: object, paths: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    client = TestClient(served)  # type: ignore[arg-type]
    for path in paths:
        with capture() as seen:
            client.get(path)
            span = next(one for one in seen.spans if one.kind == 2)
            found[path] = [seen.record(component="http").metadata["handler"], span.name]
    return found


if __name__ == "__main__":
    telemetry.init(service="x", console=False)
    inside, behind_proxy = build(), build(root_path="/api")
    inside.add_middleware(telemetry.TelemetryMiddleware)
    behind_proxy.add_middleware(telemetry.TelemetryMiddleware)
    users = ["/users/1", "/direct/1"]
    print(
        json.dumps(
            {
                "version": fastapi.__version__,
                "inside": ask(inside, list(WANTED)),
                "around": ask(telemetry.TelemetryMiddleware(build()), list(WANTED)),
                "root_path inside": ask(behind_proxy, users),
                "root_path around": ask(telemetry.TelemetryMiddleware(build(root_path="/api")), users),
            }
        )
    )
