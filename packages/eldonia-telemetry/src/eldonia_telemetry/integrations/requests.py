"""Client spans, trace propagation and the count of external calls for requests.

:func:`eldonia_telemetry.init` connects it by itself.
"""

import functools
from collections.abc import MutableMapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from eldonia_telemetry import dropped_data
from eldonia_telemetry.integrations import http_client
from eldonia_telemetry.traces import Span, inject

_SEEN: Final = "eldonia_telemetry"


def connect() -> None:
    """Observe every request that goes through ``HTTPAdapter``, also of classes derived from it. Twice is once."""
    send = HTTPAdapter.send
    if hasattr(send, _SEEN):
        return

    @functools.wraps(send)
    def observed(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        span = _begin(request)
        if span is None:
            return send(self, request, *args, **more)
        with span:
            inject(cast(MutableMapping[str, str], request.headers))
            try:
                response = send(self, request, *args, **more)
            except Exception as error:
                http_client.failed(error)
                raise
            http_client.answered(span, response.status_code)
            return response

    setattr(observed, _SEEN, True)
    HTTPAdapter.send = observed  # type: ignore[method-assign]


def _begin(request: requests.PreparedRequest) -> Span | None:
    try:
        url = urlsplit(request.url or "")
        return http_client.begin(request.method or "GET", url.scheme, url.hostname or "", url.port, url.path)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("span", "request could not be observed", error)
        return None
