"""Sends finished spans over OTLP/HTTP from a background thread.

The queue is bounded, in spans and roughly in bytes: when the backend is away for long, new spans are
dropped and counted. The thread starts with the first span, in each process of its own after a fork.
"""

import contextlib
import http.client
import random
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eldonia_telemetry import dropped_data, otlp
from eldonia_telemetry.sinks.http_endpoint import Answer, HttpEndpoint
from eldonia_telemetry.traces import otlp_json
from eldonia_telemetry.traces.span import Span
from eldonia_telemetry.wakeup import Wakeup

BATCH: Final = 512
QUEUE: Final = 8192
QUEUE_BYTES: Final = 16 * 1024 * 1024
"""What the spans that wait may hold, as :func:`eldonia_telemetry.traces.otlp_json.weight` reckons."""
INTERVAL: Final = 1.0
"""Seconds that a span may wait for others to fill the batch."""
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 30.0
ATTEMPTS: Final = 6
_RETRYABLE: Final = frozenset({408, 429, 500, 502, 503, 504})
_TOO_LARGE: Final = 413


class SpanExporter:
    """Posts batches to ``endpoint`` + ``/v1/traces``.

    Args:
        endpoint: ``http(s)://host[:port][/prefix]``; a URL that ends in ``/v1/traces`` is taken as it is.
        token: sent as ``Authorization: Bearer``; without one, a user and password in the endpoint's address are used.
        resource: the resource attributes of every span.
        redact: whether attributes are redacted.
        ca_file: PEM file of the authorities to trust for https, instead of the system's.
        headers: sent with every batch; an ``authorization`` among them goes before the token.

    Raises:
        ValueError: the endpoint is not an HTTP address, or the token or the file cannot be used.
    """

    takes_encoded = True

    def __init__(
        self,
        endpoint: str,
        token: str,
        resource: Mapping[str, Any],
        *,
        redact: bool = True,
        ca_file: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._endpoint = HttpEndpoint(endpoint, headers=headers, ca_file=ca_file, compress=False)
        self._endpoint.authorize_with(token)
        self._path = "" if self._endpoint.prefix.endswith("/v1/traces") else "/v1/traces"
        self._resource = dict(resource)
        self._redact = redact
        self._closed = False
        self._renew()

    def _renew(self) -> None:
        self._queue: deque[Span | otlp_json.Pieces] = deque()
        self._bytes = 0
        self._wakeup = Wakeup()
        self._rung = False
        self._stop = threading.Event()
        self._idle = threading.Condition()
        self._pending = 0
        self._hurry = False
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()  # a signal handler may log, which also emits the requests that have ended

    def put(self, span: Span | otlp_json.Pieces) -> None:
        """Queue one span, which may be encoded already; never waits."""
        if self._closed:
            dropped_data.count("span", "ended after shutdown")
            return
        weight = otlp_json.weight(span)
        if len(self._queue) >= QUEUE or self._bytes + weight > QUEUE_BYTES:
            dropped_data.count("span", "queue full")
            return
        self._bytes += weight  # without a lock: what two threads get wrong is forgotten with the next empty queue
        self._queue.append(span)
        if not self._rung:
            self._rung = True
            self._wakeup.set()
        if self._thread is None:
            self._start()

    def put_all(self, spans: Sequence[otlp_json.Pieces]) -> None:
        """Queue several that are encoded."""
        for span in spans:
            self.put(span)

    def flush(self, timeout: float) -> bool:
        """Wait until the queue is empty; False when ``timeout`` seconds were not enough."""
        deadline = time.monotonic() + timeout
        with self._idle:
            while self._queue or self._pending:
                left = deadline - time.monotonic()
                if left <= 0 or self._thread is None:
                    return not (self._queue or self._pending)
                self._hurry = True
                self._wakeup.set()
                self._idle.wait(min(left, 0.05))
        return True

    def close(self, timeout: float) -> None:
        """Flush for at most ``timeout`` seconds, then stop; spans left over are counted as lost. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self.flush(timeout)
        self._stop.set()
        self._wakeup.set()
        left = len(self._queue) + self._pending
        if left:
            dropped_data.count("span", "not delivered before exit", amount=left)
        self._queue.clear()

    def after_fork(self) -> None:
        """The parent sends what it had queued; the child starts afresh."""
        self._endpoint.after_fork()
        self._resource = otlp.of_this_process(self._resource)
        self._renew()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = self._thread = threading.Thread(target=self._run, name="eldonia-telemetry-export", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # no more threads, or the interpreter is on its way out
                    self._thread = None
                    dropped_data.count("span", "export thread could not start", error)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wakeup.wait()
            if not self._hurry and len(self._queue) < BATCH:
                self._pause(INTERVAL)
            self._rung = False
            while self._queue and not self._stop.is_set():
                self._pending = min(len(self._queue), BATCH)  # before the queue may look empty
                batch: list[Span | otlp_json.Pieces] = []
                with contextlib.suppress(IndexError):  # emptied by close() meanwhile
                    batch.extend(self._queue.popleft() for _ in range(self._pending))
                self._bytes = self._bytes - sum(map(otlp_json.weight, batch)) if self._queue else 0
                try:
                    self._send(batch)
                except Exception as error:  # noqa: BLE001  the thread must outlive anything a span may hold
                    dropped_data.count("span", "export failed", error, len(batch))
                self._pending = 0
            self._hurry = False
            with self._idle:
                self._idle.notify_all()

    def _pause(self, seconds: float) -> None:
        """Sleep, but not through a flush, a stop or a queue that fills."""
        until = time.monotonic() + seconds
        while not self._hurry and not self._stop.is_set() and not self._half_full():
            left = until - time.monotonic()
            if left <= 0:
                return
            # A flush or the end wakes it; a filling queue has to be polled.
            self._wakeup.wait(min(left, 0.1))

    def _half_full(self) -> bool:
        return len(self._queue) >= QUEUE // 2 or self._bytes >= QUEUE_BYTES // 2

    def _send(self, batch: list[Span | otlp_json.Pieces]) -> None:
        body = otlp_json.encode(batch, self._resource, redact=self._redact)
        delay = FIRST_DELAY
        for attempt in range(ATTEMPTS):
            try:
                answer = self._endpoint.request("POST", self._path, body, "application/json")
            except (OSError, http.client.HTTPException) as error:
                answer = Answer(0, b"")
                # Losses are counted when the batch is given up; this only says why nothing arrives.
                dropped_data.count("setup", "traces cannot reach the OTLP endpoint, retrying", error)
            if 200 <= answer.status < 300:
                otlp.count_rejected("span", "rejectedSpans", answer.body)
                return
            if answer.status == _TOO_LARGE and len(batch) > 1:
                middle = len(batch) // 2
                self._send(batch[:middle])
                self._send(batch[middle:])
                return
            if answer.status and answer.status not in _RETRYABLE:
                reason = f"refused with HTTP {answer.status}"
                dropped_data.count("span", reason, RuntimeError(answer.excerpt), len(batch))
                return
            if attempt + 1 < ATTEMPTS:
                # Full jitter keeps many processes from returning together.
                self._pause_for_retry(max(answer.retry_after, delay * random.uniform(0.5, 1.0)))
                delay = min(delay * 2, LONGEST_DELAY)
            if self._stop.is_set():
                return
        dropped_data.count("span", "OTLP endpoint away", amount=len(batch))

    def _pause_for_retry(self, seconds: float) -> None:
        until = time.monotonic() + min(seconds, LONGEST_DELAY)
        while (left := until - time.monotonic()) > 0:
            if self._closed:  # the process is ending: try at once, then give up
                self._stop.wait(min(left, 0.1))
                return
            self._stop.wait(min(left, 0.1))
