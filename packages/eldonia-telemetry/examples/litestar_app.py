"""uvicorn litestar_app:app"""

from litestar import Litestar, get, post
from litestar.exceptions import NotAuthorizedException
from litestar.params import FromPath, JSONBody

import eldonia_telemetry as telemetry

telemetry.init(service="works-litestar")
log = telemetry.get_logger(component="works")


@get("/works/{work_id:int}")
async def work(work_id: FromPath[int]) -> dict[str, int]:
    log.info("work shown", work_id=work_id)
    return {"id": work_id}


@post("/login")
async def login(data: JSONBody[dict[str, str]]) -> None:
    raise NotAuthorizedException("wrong password")


@get("/boom")
async def boom() -> None:
    raise RuntimeError("the press is jammed")


app = telemetry.TelemetryMiddleware(Litestar([work, login, boom]))
