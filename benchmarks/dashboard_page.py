"""A dashboard of 50 panels × 4 series × 1,000 points in Chromium, as a phone: frames while it scrolls, and a refresh.

The page is that of ``eldonia-ops serve``; the answers to its queries are made up here and equal in size each time, so
that what is measured is the browser and not the database. The processor is throttled to a quarter by Chromium itself.
"""

import json
import math
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.browser import browser, chromium, sign_in
from benchmarks.harness import Row, Spread, Table
from benchmarks.processes import free_port, python

_PANELS, _SERIES, _POINTS = 50, 4, 1_000
_STEP_MS = 15_000
_WATCH = """
() => {
  window.watched = { frames: [], long: [] };
  let last = performance.now();
  const frame = (now) => {
    window.watched.frames.push(now - last);
    last = now;
    window.watching = requestAnimationFrame(frame);
  };
  window.watching = requestAnimationFrame((now) => { last = now; window.watching = requestAnimationFrame(frame); });
  window.observer ??= new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.watched.long.push(one.duration);
  });
  window.observer.observe({ type: "longtask" });
}
"""
_STOP = "() => { cancelAnimationFrame(window.watching); window.observer.disconnect(); return window.watched; }"
# A finger that goes down the page at about two screens a second.
_SCROLL = """
async (seconds) => {
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until && scrollY + innerHeight < document.documentElement.scrollHeight - 2) {
    scrollBy(0, 28);
    await new Promise(requestAnimationFrame);
  }
}
"""
_DRAWN = """
() => [...document.querySelectorAll('.panel-card')].every(({ item }) =>
  item.near !== true || (item.drawn === item.generation && item.results))
"""


def run(quick: bool) -> list[Table]:
    """The table, or a note why there is none."""
    program = chromium()
    title = "A dashboard on a phone"
    if program is None:
        return [Table(title, [], ["not measured: there is no Chromium on PATH"])]
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        settings = folder / "eldonia-ops.yml"
        settings.write_text(f"listen: 127.0.0.1:{port}\ndata: {folder / 'data'}\nhost: {{enabled: false}}\n")
        settings.chmod(0o600)
        with python(["-m", "eldonia_ops", "serve", "--config", str(settings)], folder / "serve.log", port):
            token = (folder / "data" / "admin.token").read_text().strip()
            _make(f"http://127.0.0.1:{port}", token)
            measured = [_measure(program, port, token, folder) for _ in range(1 if quick else 3)]
    rows = [Row(name, Spread.of([one[name] for one in measured]), unit) for name, unit in _UNITS.items()]
    return [Table(title, rows, _NOTES)]


_UNITS = {
    "until the panels in the window are drawn": "ms",
    "frame while scrolling, median": "ms",
    "frame while scrolling, p95": "ms",
    "longest task while scrolling": "ms",
    "refresh until drawn": "ms",
    "longest task of a refresh": "ms",
    "panels drawn by a refresh": "panels",
    "processor time of the main thread for each of them, at full speed": "ms",
    "layouts of a refresh": "layouts",
}
_NOTES = [
    f"{_PANELS} panels, {_SERIES} series of {_POINTS:,} points each; 390 × 844 pixels at a ratio of 2, processor at a "
    "quarter of its speed, Chromium without a GPU (a phone has one)",
    "the answers are made up, so that the database is not measured; scrolling goes from the top to the bottom, and "
    "each panel is asked for and drawn as it comes near",
]


def _make(url: str, token: str) -> None:
    panels = [
        {
            "id": at + 1,
            "title": f"Panel {at + 1}",
            "grid": {"x": 8 * (at % 3), "y": 7 * (at // 3), "w": 8, "h": 7},
            "max_points": _POINTS,
            "queries": [{"ref": "A", "expr": f"metric_{at}"}],
            "options": {"fill": 10},
        }
        for at in range(_PANELS)
    ]
    headers = {"Authorization": f"Bearer {token}"}
    body = {"dashboard": {"uid": "fifty", "title": "Fifty", "panels": panels}}
    httpx.post(f"{url}/api/ops/v1/dashboards", json=body, headers=headers, trust_env=False).raise_for_status()


def _answer(asked: dict[str, Any], turn: int) -> str:
    end = 1_800_000_000_000 + turn * _STEP_MS
    times = [end - (_POINTS - 1 - at) * _STEP_MS for at in range(_POINTS)]
    results = []
    for query in asked["queries"]:
        series = [
            {
                "name": f"host-{number}",
                "labels": {"host": str(number)},
                "values": [
                    round(50 + 30 * math.sin((at + turn) / (20 + 7 * number) + query["panel"]) + (at * 7 % 11) / 3, 3)
                    for at in range(_POINTS)
                ],
            }
            for number in range(_SERIES)
        ]
        results.append(
            {"panel": query["panel"], "key": query["key"], "ref": "A", "kind": "series", "expr": query["expr"],
             "step": _STEP_MS, "from": times[0], "to": times[-1], "timestamps": times, "series": series, "buckets": [],
             "records": [], "traces": [], "warnings": [], "error": None, "seconds": 0, "shared": False}
        )  # fmt: skip
    return json.dumps({"from": times[0], "to": times[-1], "results": results})


def _measure(program: str, port: int, token: str, folder: Path) -> dict[str, float]:
    url = f"http://127.0.0.1:{port}"
    turns = iter(range(1_000_000))
    with browser(program, folder) as opened:
        context = opened.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2, bypass_csp=True)
        page = context.new_page()
        sign_in(context, url, token)
        page.route(
            "**/dashboards/query*",
            lambda route: route.fulfill(
                content_type="application/json", body=_answer(route.request.post_data_json or {}, next(turns))
            ),
        )
        inspector = context.new_cdp_session(page)
        inspector.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.goto(f"{url}/dashboards/fifty")
        page.wait_for_function("document.querySelectorAll('.panel-card canvas').length > 1", timeout=120_000)
        page.wait_for_function(_DRAWN, timeout=120_000)
        loaded = page.evaluate("performance.now()")
        page.evaluate(_WATCH)
        page.evaluate(_SCROLL, 60)
        scrolled = page.evaluate(_STOP)
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
        page.wait_for_timeout(500)
        page.wait_for_function(_DRAWN, timeout=120_000)
        page.evaluate(_WATCH)
        refreshed = _refresh(page)
        after = page.evaluate(_STOP)
        # What it costs the processor, whatever else the machine does: time of the thread, at its full speed.
        inspector.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        inspector.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = _metrics(inspector)
        _refresh(page)
        spent = {name: value - before[name] for name, value in _metrics(inspector).items()}
        near = page.evaluate("[...document.querySelectorAll('.panel-card')].filter((one) => one.item.near).length")
    frames = sorted(scrolled["frames"])
    figures: tuple[float, ...] = (
        loaded,
        median(frames),
        frames[int(0.95 * (len(frames) - 1))],
        max(scrolled["long"], default=0.0),
        refreshed,
        max(after["long"], default=0.0),
        float(near),
        spent["TaskDuration"] * 1e3 / near,
        spent["LayoutCount"],
    )
    return dict(zip(_UNITS, figures, strict=True))


def _refresh(page: Any) -> float:
    """Ask for all again, and wait until what is near is drawn; the milliseconds that it took."""
    began = page.evaluate(
        "() => { window.before = document.querySelector('.panel-card').item.generation; return performance.now(); }"
    )
    page.click("#refresh")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.panel-card')].filter((one) => one.item.near).every((one) => "
        "one.item.drawn > window.before && one.item.drawn === one.item.generation)",
        timeout=120_000,
    )
    return float(page.evaluate("performance.now()")) - began


def _metrics(inspector: Any) -> dict[str, float]:
    return {one["name"]: one["value"] for one in inspector.send("Performance.getMetrics")["metrics"]}
