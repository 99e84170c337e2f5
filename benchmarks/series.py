"""The series that PromQL is measured on; as a program, a platform that holds them.

``python -m benchmarks.series FOLDER PORT SERIES STEPS END_MS`` fills a platform in FOLDER, writes its
admin token to FOLDER/token and then listens until SIGTERM.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import uvicorn
from numpy.typing import NDArray

from eldonia_ops.app.loader import configuration_of
from eldonia_ops.app.platform import running_platform
from eldonia_ops.collectors.host.config import HostSettings
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.samples import SampleRow
from eldonia_ops.settings import NO_DEFAULT_RULES, Settings, load_settings
from eldonia_ops.web.app import create_app

QUERY = "sum by (service) (rate(http_requests_total[5m]))"
_INTERVAL_MS, _STEP_MS, _WINDOW_MS = 15_000, 60_000, 300_000


@dataclass
class Workload:
    """Counters of one target, and the instants at which they are asked for (Unix ms)."""

    series: int
    steps: int
    end_ms: int = 0
    groups: int = 20

    def __post_init__(self) -> None:
        if not self.end_ms:
            self.end_ms = int(time.time()) // 60 * 60_000

    @property
    def span_ms(self) -> int:
        """From the first sample to the last."""
        return (self.steps - 1) * _STEP_MS + _WINDOW_MS

    @property
    def first_ms(self) -> int:
        """The first sample."""
        return self.end_ms - self.span_ms

    @property
    def instant(self) -> tuple[int, int, int]:
        """Start, end and step of the instant query."""
        return self.end_ms, self.end_ms, 0

    @property
    def range(self) -> tuple[int, int, int]:
        """Start, end and step of the range query."""
        return self.first_ms + _WINDOW_MS, self.end_ms, _STEP_MS

    @cached_property
    def labels(self) -> tuple[Labels, ...]:
        """The label sets."""
        return tuple(
            Labels(
                {
                    METRIC_NAME: "http_requests_total",
                    "job": "shop",
                    "instance": "10.0.0.1:8000",
                    "service": f"service-{number % self.groups}",
                    "handler": f"/works/{number // self.groups}",
                    "status": "200",
                }
            )
            for number in range(self.series)
        )

    @cached_property
    def timestamps(self) -> NDArray[np.int64]:
        """Unix ms, ``[T]``; none on the edge of a window, which Prometheus 2 counts in, and 3 (like us) does not."""
        return np.arange(self.first_ms + _INTERVAL_MS // 2, self.end_ms, _INTERVAL_MS, dtype=np.int64)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """Counters, ``[T × S]``; a twentieth of them is reset once on the way."""
        chance = np.random.default_rng(7)
        values = np.cumsum(chance.integers(0, 50, (len(self.timestamps), self.series)), axis=0).astype(np.float64)
        again = np.arange(0, self.series, 20)
        half = len(self.timestamps) // 2
        values[half:, again] -= values[half, again]
        return values

    def rows(self) -> Iterator[SampleRow]:
        """One scrape after the other."""
        for at, values in zip(self.timestamps.tolist(), self.values, strict=True):
            yield SampleRow("shop/10.0.0.1:8000", at, self.labels, values)


async def _serve(folder: Path, port: int, workload: Workload) -> None:
    settings: Settings = load_settings(None, {"HOME": str(folder)}).with_data(folder / "data")
    settings = replace(
        settings,
        collectors={**settings.collectors, "host": HostSettings(enabled=False)},
        rules=replace(settings.rules, defaults=NO_DEFAULT_RULES),
        retention=replace(settings.retention, head=workload.span_ms + 3_600_000),
    )
    async with running_platform(configuration_of(settings, {}), {}) as platform:
        rows = list(workload.rows())
        for begin in range(0, len(rows), 20):
            await asyncio.gather(*map(platform.telemetry.metrics.insert_row, rows[begin : begin + 20]))
        (folder / "token").write_text(platform.admin_secret or "")
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(platform), host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off"
            )
        )
        await server.serve()


def main() -> None:
    """Serve until SIGTERM."""
    folder, port, series, steps, end_ms = sys.argv[1:]
    workload = Workload(int(series), int(steps), int(end_ms))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Path(folder), int(port), workload))


if __name__ == "__main__":
    main()
