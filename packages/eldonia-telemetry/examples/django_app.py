"""gunicorn django_app:application, or uvicorn django_app:asgi_application

In a project of several files the two last lines are in ``wsgi.py`` and ``asgi.py``.
"""

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

import eldonia_telemetry as telemetry

telemetry.init(service="works-django")
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="an example has no secrets",  # noqa: S106
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    LOGGING_CONFIG=None,  # the records of Django's loggers reach telemetry through the root logger
)
log = telemetry.get_logger(component="works")


def work(request: HttpRequest, work_id: int) -> HttpResponse:
    log.info("work shown", work_id=work_id)
    return JsonResponse({"id": work_id})


def login(request: HttpRequest) -> HttpResponse:
    request.body  # noqa: B018  reads it
    return HttpResponse(status=401)


login.csrf_exempt = True  # type: ignore[attr-defined]


def boom(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the press is jammed")


def comment(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"kept")


urlpatterns = [path("works/<int:work_id>", work), path("login", login), path("boom", boom), path("comment", comment)]

application = telemetry.TelemetryWSGI(get_wsgi_application())
asgi_application = telemetry.TelemetryMiddleware(get_asgi_application())
