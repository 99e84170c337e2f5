"""The shop's HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

import eldonia_telemetry as telemetry
from shop import accounts, catalogue, database, faults, orders
from shop.payment import Gateway

log = telemetry.get_logger(component="app")


def create_app(database_url: str, gateway_url: str, *, allow_faults: bool = False) -> FastAPI:
    """The application on a database and a gateway. Call ``telemetry.init`` before."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = database.connect(database_url)
        database.prepare(app.state.engine)
        app.state.gateway = Gateway(gateway_url)
        log.info("shop started", database=app.state.engine.dialect.name, gateway=gateway_url)
        yield
        log.info("shop stopping")
        app.state.gateway.close()
        app.state.engine.dispose()

    app = FastAPI(title="Eldonia shop", lifespan=lifespan)
    app.state.faults = faults.Faults()
    # The proxy in front of the shop runs on the same machine: no other address may name the client.
    app.add_middleware(telemetry.TelemetryMiddleware, trusted_proxies=("127.0.0.0/8", "::1"))
    telemetry.payments.expect()
    app.include_router(catalogue.routes)
    app.include_router(accounts.routes)
    app.include_router(orders.routes)
    if allow_faults:
        app.include_router(faults.router(app.state.faults))

    @app.get("/health")
    def health(request: Request) -> JSONResponse:
        if database.is_well(request.app.state.engine):
            return JSONResponse({"status": "ok", "database": "ok"})
        log.error("health check failed: the database does not answer", operation="health")
        return JSONResponse({"status": "failing", "database": "failing"}, 503)

    @app.exception_handler(PoolTimeoutError)
    def too_busy(request: Request, error: PoolTimeoutError) -> JSONResponse:
        log.error("no database connection became free in time", exception=error)
        return JSONResponse({"detail": "The shop is too busy. Try again in a moment."}, 503, {"Retry-After": "5"})

    return app
