"""A reload of a running platform: every file read again, and what changed put in the place of what was.

A hundred alerting rules in ten groups and two hundred scrape targets; of both, half change each time.
"""

import asyncio
import contextlib
import tempfile
from pathlib import Path

from benchmarks.harness import Row, Spread, Table, latencies
from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.loader import Override, load_configuration
from eldonia_ops.app.platform import running_platform

TITLE = "Reload"
_BODY = b"up_x 1\n"


def run(quick: bool) -> list[Table]:
    """Milliseconds, median and 95th percentile."""
    with tempfile.TemporaryDirectory() as name:
        return [asyncio.run(_measure(Path(name), 2 if quick else 20))]


async def _measure(folder: Path, count: int) -> Table:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    environment = {"HOME": str(folder)}

    def load(last_word: Override = lambda settings: settings) -> Configuration:
        return load_configuration(folder / "eldonia-ops.yml", environment, override=last_word)

    _write(folder, port, 0)
    async with server, running_platform(load(), environment, load) as platform:
        equal = [(await platform.reloads.reload("bench")).seconds for _ in range(count)]
        changed: list[float] = []
        for number in range(1, count + 1):
            _write(folder, port, number)
            outcome = await platform.reloads.reload("bench")
            if not outcome.successful:
                raise RuntimeError(str(outcome.diagnostics))
            changed.append(outcome.seconds)
        missed = _metric(platform.status.metrics()[1].decode(), "eldonia_ops_rule_evaluations_missed_total")
    return Table(
        TITLE,
        [
            *latencies("equal files", equal),
            *latencies("half of the rules and half of the targets changed", changed),
            Row("evaluations missed", Spread(missed, missed, missed), ""),
        ],
        [
            "100 alerting rules in 10 groups and 200 targets, all at 15 s; the platform's other loops run beside it",
            "from the call to the answer: every file read and checked, every module gone over",
        ],
    )


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(_BODY) + _BODY
            )
            await writer.drain()
    writer.close()


def _write(folder: Path, port: int, number: int) -> None:
    rules = ["groups:"]
    for group in range(10):
        limit = number if group % 2 else 0
        rules += [f"  - name: g{group}", "    rules:"]
        for rule in range(10):
            errors = f'sum by (job) (rate(http_requests_total{{status=~"5..",job="shop{rule}"}}[5m]))'
            rules += [
                f"      - alert: A{group}_{rule}",
                f"        expr: {errors} / sum by (job) (rate(http_requests_total[5m])) > 0.0{limit}",
                "        for: 5m",
                "        labels: {severity: warning, service: shop}",
                "        annotations: {summary: 'errors at {{ $value | humanizePercentage }}'}",
            ]
    (folder / "rules.yml").write_text("\n".join(rules) + "\n")
    settings = [f"data: {folder}/data", "host: {enabled: false}", "rules: {files: [rules.yml]}", "scrape:"]
    for job in range(200):
        mark = number if job % 2 else 0
        settings.append(f"  - {{job: j{job}, targets: ['127.0.0.1:{port}'], labels: {{n: '{mark}'}}}}")
    (folder / "eldonia-ops.yml").write_text("\n".join(settings) + "\n")


def _metric(text: str, name: str) -> float:
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name))
