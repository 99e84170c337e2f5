"""Entries tried before they are kept, against real servers and files."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from http_receiver import HttpReceiver, http_receiver

from eldonia_ops.app.routing import TemplateRenderer
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.configuration.entry_trials import EntryTrials

METRICS = "# TYPE jobs gauge\n" + "".join(f'jobs{{queue="{number}"}} {number}\n' for number in range(20))


@pytest.fixture
async def far_side() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as found:
        yield found


@pytest.fixture
async def trials(tmp_path: Path) -> AsyncIterator[EntryTrials]:
    kinds = built_in()
    async with httpx.AsyncClient() as client:
        yield EntryTrials(
            SystemClock(), {"HOME": str(tmp_path), "TOKEN": "t0p"}, tmp_path, kinds, client,
            lambda templates: TemplateRenderer(templates, "http://ops", kinds),
        )  # fmt: skip


async def test_a_scrape_shows_its_first_series_and_how_it_was_fetched(
    trials: EntryTrials, far_side: HttpReceiver
) -> None:
    far_side.answer(200, METRICS)
    address = far_side.url.removeprefix("http://").rstrip("/")
    entry = {"job": "shop", "targets": [address], "path": "/m", "bearer_token": "${TOKEN}"}
    found = await trials.attempt("hana", "scrape", entry, "en")
    assert (found.successful, found.message, found.series, len(found.samples)) == (True, "", 20, 12)
    assert (found.samples[3].name, dict(found.samples[3].labels), found.samples[3].value) == (
        "jobs",
        {"queue": "3"},
        "3",
    )
    assert (far_side.received[0].path, far_side.received[0].headers["authorization"]) == ("/m", "Bearer t0p")
    far_side.answer(200, "<html>")
    found = await trials.attempt("hana", "scrape", entry, "en")
    assert not found.successful
    assert "not in Prometheus' text format" in found.message


async def test_what_is_wrong_with_an_entry_itself_is_said(trials: EntryTrials) -> None:
    found = await trials.attempt("hana", "scrape", {"job": "a", "targets": ["http://x"]}, "en")
    assert not found.successful
    assert (found.message, found.diagnostics[0].hint) == (
        "'http://x' is not a target",
        "write host:port, without http:// or a path",
    )
    found = await trials.attempt("hana", "receivers", {"name": "r", "slack_configs": [{}]}, "en")
    assert "no Slack address" in found.message


async def test_a_probe_shows_status_and_time(trials: EntryTrials, far_side: HttpReceiver) -> None:
    entry = {"name": "shop", "url": far_side.url, "expect_text": "ok"}
    found = await trials.attempt("hana", "probes", entry, "en")
    assert (found.successful, found.status, found.certificate_expires_at) == (True, 200, 0)
    assert found.seconds > 0
    far_side.answer(503, "no")
    found = await trials.attempt("hana", "probes", entry, "en")
    assert (found.successful, found.status) == (False, 503)
    found = await trials.attempt("hana", "probes", {"name": "x", "url": "tcp://127.0.0.1:1"}, "en")
    assert "nothing listens there" in found.message


async def test_a_log_file_shows_its_last_lines_as_they_are_understood(trials: EntryTrials, tmp_path: Path) -> None:
    (tmp_path / "old.log").write_text("old\n")
    log = tmp_path / "app.log"
    lines = ['{"level":"error","message":"paid","user":"a"}\n'] * 2000
    log.write_text("".join(lines) + "Traceback (most recent call last):\n  File x\nValueError: y\n")
    found = await trials.attempt("hana", "logs", {"path": f"{tmp_path}/*.log", "service": "shop"}, "en")
    assert (found.successful, found.files, found.file) == (True, 2, str(log))
    assert len(found.lines) == 20
    assert found.lines[0].message.startswith("Traceback"), "one record, not three"
    assert (found.lines[1].level, found.lines[1].service, found.lines[1].message) == ("error", "shop", "paid")
    log.write_bytes("\ufeff2026-11-30 10:00:00 ERROR über\r\n".encode("utf-16-le"))
    found = await trials.attempt("hana", "logs", {"path": str(log)}, "en")
    assert "über" in found.lines[0].message
    log.write_text("")
    found = await trials.attempt("hana", "logs", {"path": str(log)}, "en")
    assert (found.successful, found.lines) == (True, ())
    found = await trials.attempt("hana", "logs", {"path": "/nowhere/*.log"}, "en")
    assert (found.successful, found.message) == (False, "no file matches /nowhere/*.log")


async def test_a_receiver_gets_a_message_that_says_it_is_a_test(trials: EntryTrials, far_side: HttpReceiver) -> None:
    entry = {"name": "team", "matching": {"severity": ["critical"]}, "webhook_configs": [{"url": f"{far_side.url}x"}]}
    found = await trials.attempt("hana", "receivers", entry, "ja")
    assert (found.successful, found.sent) == (True, 1)
    assert "通知先 team のテスト" in far_side.received[0].body.decode()
    far_side.answer(404, "gone")
    found = await trials.attempt("hana", "receivers", entry, "en")
    assert (found.successful, found.sent) == (False, 0)
    assert "404" in found.message


async def test_other_collectors_are_read_once(trials: EntryTrials, far_side: HttpReceiver) -> None:
    page = "Active connections: 3 \nserver accepts handled requests\n 5 5 9 \nReading: 0 Writing: 1 Waiting: 2 \n"
    far_side.answer(200, page)
    found = await trials.attempt("hana", "nginx", {"url": f"{far_side.url}status"}, "en")
    assert found.successful
    assert "nginx_connections_active" in {one.name for one in found.samples}
    found = await trials.attempt("hana", "nginx", {"url": "http://127.0.0.1:1/"}, "en")
    assert "nothing listens there" in found.message
