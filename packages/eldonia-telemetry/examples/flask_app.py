"""gunicorn flask_app:app"""

from flask import Flask, Response, request

import eldonia_telemetry as telemetry

telemetry.init(service="works-flask")
app = Flask(__name__)
app.wsgi_app = telemetry.TelemetryWSGI(app.wsgi_app)  # type: ignore[method-assign]
log = telemetry.get_logger(component="works")


@app.get("/works/<int:work_id>")
def work(work_id: int) -> dict[str, int]:
    log.info("work shown", work_id=work_id)
    return {"id": work_id}


@app.post("/login")
def login() -> Response:
    request.get_json()
    return Response(status=401)


@app.get("/boom")
def boom() -> Response:
    raise RuntimeError("the press is jammed")
