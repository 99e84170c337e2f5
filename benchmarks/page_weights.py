"""What the main pages weigh: bytes, requests and the marks that Lighthouse judges by, on a phone, at a first visit.

The platform is that of ``eldonia-ops serve`` with its own host in it. The processor is throttled to a quarter by
Chromium, and the network to that of Lighthouse's mobile profile (1.6 Mbit/s, 150 ms), so that bytes count.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.browser import browser, chromium, sign_in
from benchmarks.harness import Row, Spread, Table
from benchmarks.processes import free_port, python

_PAGES = {
    "sign-in": "/sign-in",
    "overview": "/",
    "logs": "/logs",
    "alerts": "/alerts",
    "incidents": "/incidents",
    "dashboard of the host": "/dashboards/host",
    "explore": "/explore?query=node_load1",
    "welcome": "/welcome",
}
# Lighthouse's mobile profile: https://github.com/GoogleChrome/lighthouse/blob/main/docs/throttling.md
_NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
_WATCH = """
window.seen = { paint: 0, shift: 0, blocked: 0 };
const watch = (type, add) =>
  new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type, buffered: true });
watch("largest-contentful-paint", (one) => { window.seen.paint = one.startTime; });
watch("layout-shift", (one) => { if (!one.hadRecentInput) window.seen.shift += one.value; });
watch("longtask", (one) => { window.seen.blocked += Math.max(0, one.duration - 50); });
"""
_UNITS = {
    "transferred": "KiB",
    "requests": "requests",
    "transferred again, from the cache": "KiB",
    "largest contentful paint": "ms",
    "blocking time": "ms",
    "layout shift": "",
}
_NOTES = [
    "390 × 844 pixels, processor at a quarter of its speed, 1.6 Mbit/s with 150 ms: Lighthouse's mobile profile",
    "all that the page asks for within five seconds, compressed as it was sent; Lighthouse calls a largest contentful "
    "paint of 2,500 ms, a blocking time of 200 ms and a shift of 0.1 good",
]


def run(quick: bool) -> list[Table]:
    """The table, or a note why there is none."""
    title, program = "Weights of the pages, at a first visit by a phone", chromium()
    if program is None:
        return [Table(title, [], ["not measured: there is no Chromium on PATH"])]
    pages = dict(list(_PAGES.items())[:2]) if quick else _PAGES
    found: dict[str, list[dict[str, float]]] = {name: [] for name in pages}
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        settings = folder / "eldonia-ops.yml"
        settings.write_text(f"listen: 127.0.0.1:{port}\ndata: {folder / 'data'}\nhost: {{interval: 5s}}\n")
        settings.chmod(0o600)
        with python(["-m", "eldonia_ops", "serve", "--config", str(settings)], folder / "serve.log", port):
            token = (folder / "data" / "admin.token").read_text().strip()
            url = f"http://127.0.0.1:{port}"
            _wait_for_metrics(url, token)
            with browser(program, folder) as opened:
                for _ in range(1 if quick else 3):
                    for page, path in pages.items():
                        found[page].append(_visit(opened, url, path, token))
    rows = [
        Row(f"{page}: {name}", Spread.of([one[name] for one in visits]), unit)
        for page, visits in found.items()
        for name, unit in _UNITS.items()
    ]
    return [Table(title, rows, _NOTES)]


def _wait_for_metrics(url: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = httpx.get(f"{url}/api/v1/query", params={"query": "node_load1"}, headers=headers, trust_env=False)
        if answer.is_success and answer.json()["data"]["result"]:
            return
        time.sleep(0.5)
    raise RuntimeError("the platform has measured its host not once in a minute")


def _visit(opened: Any, url: str, path: str, token: str) -> dict[str, float]:
    context = opened.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2, bypass_csp=True)
    try:
        if path != "/sign-in":
            sign_in(context, url, token)
        page = context.new_page()
        page.add_init_script(_WATCH)
        inspector = context.new_cdp_session(page)
        inspector.send("Network.enable")
        inspector.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        inspector.send("Network.emulateNetworkConditions", _NETWORK)
        sizes: list[float] = []
        inspector.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(url + path)
        page.wait_for_timeout(5_000)
        seen, first, requests = page.evaluate("window.seen"), sum(sizes), len(sizes)
        sizes.clear()
        page.goto(url + path)
        page.wait_for_timeout(2_000)
        again = sum(sizes)
    finally:
        context.close()
    figures = (first / 1024, float(requests), again / 1024, seen["paint"], seen["blocked"], seen["shift"])
    return dict(zip(_UNITS, figures, strict=True))
