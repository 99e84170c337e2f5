"""uvicorn fastapi_app:app"""

from fastapi import FastAPI, HTTPException

import eldonia_telemetry as telemetry

telemetry.init(service="works-fastapi")
app = FastAPI()
app.add_middleware(telemetry.TelemetryMiddleware)
log = telemetry.get_logger(component="works")


@app.get("/works/{work_id}")
async def work(work_id: int) -> dict[str, int]:
    log.info("work shown", work_id=work_id)
    return {"id": work_id}


@app.post("/login")
async def login(form: dict[str, str]) -> None:
    raise HTTPException(401)


@app.get("/boom")
async def boom() -> None:
    raise RuntimeError("the press is jammed")
