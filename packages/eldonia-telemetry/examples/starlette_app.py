"""uvicorn starlette_app:app"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import eldonia_telemetry as telemetry

telemetry.init(service="works-starlette")
log = telemetry.get_logger(component="works")


async def work(request: Request) -> Response:
    work_id = request.path_params["work_id"]
    log.info("work shown", work_id=work_id)
    return JSONResponse({"id": work_id})


async def login(request: Request) -> Response:
    await request.json()
    return JSONResponse({"detail": "wrong password"}, 401)


async def boom(request: Request) -> Response:
    raise RuntimeError("the press is jammed")


app = Starlette(
    routes=[
        Route("/works/{work_id:int}", work),
        Route("/login", login, methods=["POST"]),
        Route("/boom", boom),
    ]
)
app.add_middleware(telemetry.TelemetryMiddleware)
