"""Takes the pictures that the READMEs show: `make screenshots`.

Runs the demonstration on free ports, lets its charts fill, breaks the payment gateway once more so that there
is something to see, and photographs the pages with the Chromium of the system. Nothing is staged: what the
pictures show is what `make demo` shows. So it takes as long as that: about two minutes for the story and two more
until the charts of the last five minutes are filled, more on a busy machine. It says what it waits for; each wait ends
when what it is for is there, and gives up when nothing has moved for three minutes.
"""

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Route, TimeoutError, sync_playwright

from eldonia_ops.cli.client import Client
from eldonia_ops.cli.demo.director import PERSON
from eldonia_ops.cli.demo.processes import free_port

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--hide-scrollbars",
]
WIDE = (1360, 850)
PHONE = (390, 844)
PATIENCE_SECONDS = 180.0
"""Without anything new. A busy machine is slow, and does not stand still."""
RESPONSE_MS = 7_000
"""A person needs some seconds to answer; the incident shows how many."""
SAID_EVERY_SECONDS = 15.0
LARGEST_BYTES = 300_000


@dataclass(frozen=True)
class Demonstration:
    """The running demonstration: where it is, who may look, and its folder."""

    address: str
    token: str
    gateway: str


@dataclass(frozen=True)
class Picture:
    """One picture: a path of the pages, and how the reader who sees it has set their browser."""

    name: str
    path: str
    scheme: str = "dark"
    locale: str = "en-GB"
    size: tuple[int, int] = WIDE
    scale: float = 1.5
    ready: str = "main"
    open: str = ""  # the last of these is clicked before the picture is taken


def fail(message: str) -> None:
    """Say what is missing and end with exit code 2."""
    sys.stderr.write(f"screenshots: {message}\n")
    sys.exit(2)


@contextlib.contextmanager
def demonstration(folder: Path) -> Iterator[Demonstration]:
    """Play the story to its end and keep it running."""
    log = folder / "demo.log"
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our own commands, no shell
            [
                sys.executable,
                "-m",
                "eldonia_ops",
                "demo",
                "--dir",
                str(folder / "demo"),
                "--port",
                str(free_port(9600)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        text, moved = "", time.monotonic()
        while "Still running" not in text:
            if (now := log.read_text("utf-8")) != text:
                progress(now[len(text) :])
                text, moved = now, time.monotonic()
            if child.poll() is not None or time.monotonic() > moved + PATIENCE_SECONDS:
                fail(f"the demonstration did not get to its end:\n{text}")
            time.sleep(0.5)
        if "not observed" in text:
            # The platform is up all the same, and the pages show what is.
            sys.stderr.write(f"screenshots: the demonstration missed a stage:\n{text}\n")
        found = re.search(r"^Eldonia Ops\s+(\S+)\s+token\s+(\S+)", text, re.MULTILINE)
        settings = (folder / "demo" / "eldonia-ops.yml").read_text("utf-8")
        gateway = re.search(r"name: payment-gateway, url: \"(http://[^/]+)/", settings)
        if found is None or gateway is None:
            fail(f"the demonstration does not say where it is:\n{text}")
            raise AssertionError
        yield Demonstration(found[1], found[2], gateway[1])
    finally:
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(30)
        if child.poll() is None:
            child.kill()


def progress(text: str) -> None:
    """Say how far it is."""
    for line in filter(str.strip, text.splitlines()):
        sys.stderr.write(f"screenshots: {line.rstrip()}\n")
    sys.stderr.flush()


def until(what: str, look: Callable[[], Any], measure: Callable[[], float] = lambda: 0.0) -> Any:
    """Wait until ``look`` sees something, as long as it takes while ``measure`` grows."""
    furthest, moved, said = measure(), time.monotonic(), 0.0
    while time.monotonic() < moved + PATIENCE_SECONDS:
        if found := look():
            return found
        if (now := measure()) > furthest:
            furthest, moved = now, time.monotonic()
        if time.monotonic() > said + SAID_EVERY_SECONDS:
            said = time.monotonic()
            progress(f"waiting for {what}{f' ({furthest:.0f})' if furthest else ''}")
        time.sleep(0.5)
    return fail(f"nothing has moved for {PATIENCE_SECONDS:.0f} s, not seen: {what}")


def filled(client: Client) -> float:
    """For how many seconds the charts of the shop have had samples, at most the five minutes that pictures show."""
    found = client.get("/query_range", query="sum(up)", start="-6m", end="now", step="5s")
    points = [point for series in found["series"] for point in series["points"]]
    return (points[-1][0] - points[0][0]) / 1000 if points else 0.0


def pictures(client: Client, person: Client) -> list[Picture]:
    """What is photographed, with the incident and the trace that this run has; ``person`` is on duty."""
    incident = until(
        "an incident about payments that is not resolved",
        lambda: next(
            (
                one
                for one in client.get("/incidents", limit=50)
                if one["service"] == "payment" and one["status"] not in ("resolved", "closed")
            ),
            None,
        ),
    )
    path = f"/incidents/{incident['reference']}"
    since = incident["detected_at"] or incident["created_at"]
    until("somebody to answer", lambda: time.time() * 1000 > since + RESPONSE_MS)
    person.post(f"{path}/acknowledge")
    for step in person.get(f"{path}/runbook")[:4]:
        person.post(f"{path}/checklist", {"key": step["key"], "done": True})
    person.post(f"{path}/notes", {"text": "The gateway answers 500 to every charge; their hotline is on it."})
    trace = until(
        "a trace of a failed payment",
        lambda: max(
            client.get("/traces", since="-2m", errors=True, limit=50), key=lambda one: one["spans"], default=None
        ),
    )
    charts = ".plot canvas"
    return [
        Picture("overview-dark", "/?range=5m", ready=charts),
        Picture("overview-light", "/?range=5m", "light", ready=charts),
        Picture("overview-ja", "/?range=5m", locale="ja-JP", ready=charts),
        Picture("incident", path, size=(1240, 775), scale=1.25),
        Picture("logs", "/logs?range=5m", ready="canvas", scale=1.25),
        Picture(
            "trace",
            f"/traces/{trace['trace_id']}",
            ready=".span-row.failed",
            open=".span-row.failed .span-open",
            scale=1.25,
        ),
        Picture("phone", path, size=PHONE, scale=2.0, locale="ja-JP"),
    ]


def photograph(browser: Browser, address: str, token: str, picture: Picture, folder: Path) -> None:
    """Sign in as a person would, go to the page, wait until it is quiet, and take the picture."""
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=picture.scale,
        color_scheme="light" if picture.scheme == "light" else "dark",
        locale=picture.locale,
        reduced_motion="reduce",
    )
    try:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/sign-in")
        page.fill("input[name=token]", token)
        page.click("button[type=submit]")
        page.wait_for_selector("main")
        page.route("**/query_range?*", without_local_names)
        page.goto(address + picture.path)
        page.wait_for_selector(picture.ready, timeout=30_000)
        if picture.open:
            page.locator(picture.open).last.click()
        quiet(page)
        file = folder / f"{picture.name}.png"
        page.screenshot(path=file)
    finally:
        context.close()
    for fault in faults:
        sys.stderr.write(f"{picture.name}: the page complains: {fault}\n")
    shrink(file)
    size = file.stat().st_size
    sys.stdout.write(f"{file.name:22} {size / 1000:6.0f} kB\n")
    if size > LARGEST_BYTES:
        sys.stderr.write(f"{picture.name}: larger than {LARGEST_BYTES / 1000:.0f} kB\n")


def quiet(page: Page) -> None:
    """Wait until nothing is on its way, fonts are there, and what was asked for is drawn."""
    with contextlib.suppress(TimeoutError):  # a page that follows something is never idle for long
        page.wait_for_load_state("networkidle", timeout=15_000)
    page.wait_for_function(
        "document.fonts.status === 'loaded' && !document.querySelector('main .busy')", timeout=30_000
    )
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def without_local_names(route: Route) -> None:
    """Leave out what the photographer's machine has mounted below /mnt, and its virtual network devices."""
    response = route.fetch()
    body = response.json()
    for one in list(body.get("series", [])):
        labels = one["labels"]
        if labels.get("mountpoint", "").startswith("/mnt/") or labels.get("device", "").startswith("ifb"):
            body["series"].remove(one)
    route.fulfill(response=response, json=body)


def shrink(file: Path) -> None:
    """Make the file smaller with whatever the machine has for that; without, it stays as it is."""
    if program := shutil.which("pngquant"):
        subprocess.run([program, "--force", "--skip-if-larger", "--ext", ".png", "256", str(file)], check=False)  # noqa: S603
    if program := shutil.which("oxipng"):
        subprocess.run([program, "--quiet", "--opt", "4", "--strip", "safe", str(file)], check=False)  # noqa: S603
    elif program := shutil.which("optipng"):
        subprocess.run([program, "-quiet", "-o3", str(file)], check=False)  # noqa: S603


def main() -> None:
    """Take all pictures, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these pictures")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where they go")
    parser.add_argument("--fill", type=float, default=240, help="seconds of samples that charts show")
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        fail("no Chromium on PATH. On Debian: apt-get install chromium fonts-noto-cjk")
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="eldonia-screenshots-") as scratch, demonstration(Path(scratch)) as demo:
        client = Client(demo.address, demo.token)
        until(f"{given.fill:.0f} s of samples", lambda: filled(client) >= given.fill, lambda: filled(client))
        httpx.post(f"{demo.gateway}/faults", json={"fault": "error"}, timeout=5, trust_env=False).raise_for_status()
        made = client.post("/tokens", {"name": PERSON, "role": "responder"})
        person = Client(demo.address, made["secret"])
        wanted = [one for one in pictures(client, person) if not given.names or one.name in given.names]
        # A fresh profile in a temporary folder, which Playwright removes again.
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            for picture in wanted:
                progress(picture.name)
                photograph(browser, demo.address, made["secret"], picture, given.folder)
            browser.close()
        client.close()
        person.close()


if __name__ == "__main__":
    main()
