"""The same page scraped by Debian's Prometheus and by us gives the same series."""

import asyncio
import contextlib
import math
import socket
import subprocess

import httpx
from required_tools import requires_tool

from eldonia_ops.collectors.scrape.loop import ScrapeLoop, ScrapeTarget, scrape_client
from eldonia_ops.model.labels import Labels
from eldonia_ops.services.clock import SystemClock

PAGE = r"""# HELP plain Something "quoted" with \\ and \n.
# TYPE plain gauge
plain 1
trailing_blank 3~
two_blanks  4
tabbed	5
labels{a="1",b="2"} 6
trailing_comma{a="1",} 7
spaced { a = "1" , b = "2" } 8
no_blank{a="1"}9
empty_value{a="",b="x"} 10
escapes{path="C:\\DIR",quote="say \"hi\"",line="a\nb",other="\d"} 11
brace{a="} 1 # {"} 12
unicode{a="支払い"} 13
clash{job="own",instance="own",exported_job="kept"} 14
# TYPE h histogram
h_bucket{le="0.1"} 1
h_bucket{le="+Inf"} 2
h_sum 3.5
h_count 2
big 1.7976931348623157e+308
small 5e-324
exponent 1E3
plus +4
infinite +Inf
minus -Inf
colon:name{a="1"} 15
# just a comment
#
""".replace("~", " ")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@requires_tool("prometheus")
async def test_the_same_series(tmp_path):
    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            body = PAGE.encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    target = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: t, static_configs: [{{targets: ['{target}'], labels: {{tier: web}}}}]}}]\n"
    )
    port = free_port()
    log = (tmp_path / "log").open("wb")
    prometheus = subprocess.Popen(  # noqa: ASYNC220
        ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
         f"--web.listen-address=127.0.0.1:{port}"],
        stdout=log, stderr=log,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            found = []
            for _ in range(150):
                with contextlib.suppress(httpx.HTTPError, ValueError):
                    answer = await client.get("/api/v1/query", params={"query": '{tier="web"}'})
                    found = answer.json()["data"]["result"]
                if len(found) > 5:
                    break
                await asyncio.sleep(0.1)
            targets = (await client.get("/api/v1/targets")).json()["data"]["activeTargets"]
            assert [one["lastError"] for one in targets] == [""]
    finally:
        prometheus.terminate()
        await asyncio.to_thread(prometheus.wait)
        log.close()
    theirs = {Labels(one["metric"]): float(one["value"][1]) for one in found}
    rows = []

    async def sink(collected):
        rows.append(collected)

    async with scrape_client() as client:
        loop = ScrapeLoop(ScrapeTarget("t", f"http://{target}/metrics", labels=Labels({"tier": "web"})), sink, client,
                          SystemClock())  # fmt: skip
        for turn in range(2):
            await loop.scrape_once(turn)
            assert loop.status.error == ""
            ours = dict(zip(rows[turn].row.labels, rows[turn].row.values.tolist(), strict=True))
            assert set(ours) == set(theirs)
            changing = ("scrape_duration_seconds", "scrape_series_added")
            assert {labels: value for labels, value in ours.items() if labels.name not in changing} == {
                labels: value for labels, value in theirs.items() if labels.name not in changing
            }
    assert sum(math.isinf(value) for value in theirs.values()) == 2
    server.close()
