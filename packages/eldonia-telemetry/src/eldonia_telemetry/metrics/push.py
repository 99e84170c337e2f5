"""Sends the registry over OTLP/HTTP every few seconds, each process for itself.

For several workers behind one port, which a scraper cannot separate, and for processes that nothing
scrapes. Values are cumulative, so one that does not arrive is made good by the next; nothing waits in
memory. When the process ends, the last values are sent, and then that its series have ended.
"""

import http.client
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eldonia_telemetry import dropped_data, metrics, otlp
from eldonia_telemetry.metrics import otlp_json
from eldonia_telemetry.metrics.registry import Snapshot
from eldonia_telemetry.sinks.http_endpoint import HttpEndpoint
from eldonia_telemetry.wakeup import Wakeup

INTERVAL: Final = 15.0
"""Seconds between two sendings."""
_TOO_LARGE: Final = 413
_NOTHING: Final = 1_000
"""A threshold that no record reaches."""


class _Flush:
    """Somebody waits for a sending."""

    __slots__ = ("arrived", "done")

    def __init__(self) -> None:
        self.arrived = False
        self.done = Wakeup()


class MetricsPush:
    """Posts to ``/v1/metrics`` of an endpoint. A sink that takes no records, so that it is flushed and closed as one.

    Args:
        endpoint: the backend; ``/v1/metrics`` is added.
        resource: the attributes of this process (``service.name`` and the like).
        interval: seconds.
    """

    threshold = _NOTHING

    def __init__(self, endpoint: HttpEndpoint, resource: Mapping[str, Any], *, interval: float = INTERVAL) -> None:
        self._endpoint = endpoint
        self._resource = dict(resource)
        self._interval = interval
        self._start_ns = time.time_ns()
        self._renew()

    def _renew(self) -> None:
        # No lock: a signal handler that closes may interrupt a thread that flushes, and would wait for it.
        self._wakeup = Wakeup()
        self._asked: deque[_Flush] = deque()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="eldonia-telemetry-metrics", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads, or the interpreter is on its way out
            dropped_data.count("metric", "the pushing thread could not start", error)

    def write(self, line: bytes) -> None:
        """Records go elsewhere."""

    def write_all(self, lines: Sequence[bytes]) -> None:
        """Records go elsewhere."""

    def flush(self, timeout: float) -> bool:
        """Send now; False when that took more than ``timeout`` seconds or did not arrive."""
        if self._closed:
            return True
        asked = _Flush()
        self._asked.append(asked)
        self._wakeup.set()
        return asked.done.wait(timeout) and asked.arrived

    def close(self, timeout: float = 0.0) -> None:
        """Send the last values within ``timeout`` seconds. Idempotent: who closes again waits for the same end."""
        self._closed = True
        self._wakeup.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def after_fork(self) -> None:
        """The child is a process of its own, with series of its own."""
        closed = self._closed
        self._endpoint.after_fork()
        self._resource = otlp.of_this_process(self._resource)
        if not closed:
            self._renew()

    def _run(self) -> None:
        while True:
            self._wakeup.wait(self._interval)
            closed = self._closed
            asked = [self._asked.popleft() for _ in range(len(self._asked))]
            arrived = self._push(ended=False)
            for one in asked:
                one.arrived = arrived
                one.done.set()
            if closed:
                if arrived:
                    self._push(ended=True)
                self._endpoint.close()
                for one in self._asked:  # asked for while the last values were on their way
                    one.done.set()
                return

    def _push(self, *, ended: bool) -> bool:
        try:
            return self._send(metrics.registry.snapshot(), ended)
        except (OSError, http.client.HTTPException) as error:
            dropped_data.count("setup", "metrics cannot reach the OTLP endpoint, retrying", error)
        except Exception as error:  # noqa: BLE001  the thread must outlive anything
            dropped_data.count("metric", "could not be pushed", error)
        return False

    def _send(self, families: list[Snapshot], ended: bool) -> bool:
        at_ns = time.time_ns() + 1_000_000 * ended  # a millisecond is Prometheus' resolution
        body = otlp_json.encode(families, self._resource, start_ns=self._start_ns, at_ns=at_ns, ended=ended)
        answer = self._endpoint.request("POST", "/v1/metrics", body, "application/json")
        if 200 <= answer.status < 300:
            otlp.count_rejected("metric", "rejectedDataPoints", answer.body)
            return True
        if answer.status == _TOO_LARGE and len(families) > 1:
            middle = len(families) // 2
            first = self._send(families[:middle], ended)
            return self._send(families[middle:], ended) and first
        dropped_data.count("metric", f"push answered with HTTP {answer.status}", RuntimeError(answer.excerpt))
        return False
