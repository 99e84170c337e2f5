"""What the settings ask for is what looks and what restarts: from the text of a file to a real socket."""

import asyncio
from pathlib import Path

import pytest

from eldonia_ops.app.actuation import ProcessLogs, build_actuator
from eldonia_ops.collectors.probe import prober
from eldonia_ops.collectors.scrape import scrape_targets
from eldonia_ops.model.secret import Secret
from eldonia_ops.ports import ActuatorError
from eldonia_ops.protocols.prometheus.text import ExpositionLimits
from eldonia_ops.services.clock import ManualClock
from eldonia_ops.settings import parse_settings


class Greeter:
    """A server that greets, remembers what it hears and answers HTTP and lines alike."""

    async def __aenter__(self):
        self.heard = []
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        self.heard.append(await reader.readline())
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()


def settings_of(text):
    return parse_settings(text, Path("/srv/ops/eldonia-ops.yml"), {"HOME": "/home/hana"})


async def test_a_probe_of_a_port():
    async with Greeter() as server:
        found = settings_of(
            f"""
probes:
  - {{name: good, url: 'tcp://{server.address}', send: "QUIT\\r\\n", expect_text: "204 No"}}
  - {{name: bad, url: 'tcp://{server.address}', send: "QUIT\\r\\n", expect_text: "221"}}
  - {{name: plain, url: 'tls://{server.address}', verify_certificate: false}}
  - {{name: web, url: 'http://{server.address}/', expect_status: 204}}
"""
        )
        good, bad, plain, web = [await prober(probe).probe() for probe in found.collectors["probes"]]
        assert (good.success, good.status_code) == (True, 0)
        assert "the answer lacks '221'" in bad.detail
        assert plain.detail.startswith("TLS failed")
        assert (web.success, web.status_code) == (True, 204)
        assert server.heard[:2] == [b"QUIT\r\n", b"QUIT\r\n"]


async def test_a_scrape_target_is_what_its_job_says():
    found = settings_of(
        """
scrape:
  - {job: shop, targets: [a:1, b:2], scheme: https, basic_auth: {username: u, password: p}, honor_labels: true}
  - {job: bare, targets: [c:3], bearer_token: t, honor_timestamps: false}
"""
    )
    first, second, bare = scrape_targets(found, ExpositionLimits())
    assert (first.url, second.url, bare.url) == ("https://a:1/metrics", "https://b:2/metrics", "http://c:3/metrics")
    assert first.basic_auth == ("u", Secret("p"))
    assert (first.honor_labels, first.honor_timestamps, first.bearer_token) == (True, True, None)
    assert (bare.honor_labels, bare.honor_timestamps, bare.basic_auth) == (False, False, None)
    assert bare.bearer_token == Secret("t")


async def test_a_webhook_that_restarts(tmp_path):
    async with Greeter() as server:
        found = settings_of(
            f"""
probes: [{{name: p, url: 'http://x/'}}]
recovery:
  - {{service: shop, probe: p, action: {{webhook: {{url: 'http://{server.address}/do', method: PUT}}}}}}
"""
        )
        actuator = build_actuator(found.recovery[0], tmp_path)
        assert await actuator.restart() == "asked the webhook to restart shop (HTTP 204)"
        assert server.heard == [b"PUT /do HTTP/1.1\r\n"]
    with pytest.raises(ActuatorError, match="cannot be reached"):
        await actuator.restart()


async def test_the_outputs_of_supervised_programs_are_looked_at_again_and_again(tmp_path, caplog):
    text = "probes: [{name: p, url: 'http://x/'}]\nrecovery:\n"
    for name, action in (("a", "process: {command: [a]}"), ("b", "process: {command: [b]}"), ("c", "systemd: c")):
        text += f"  - {{service: {name}, probe: p, action: {{{action}}}}}\n"
    actuators = [build_actuator(item, tmp_path) for item in settings_of(text).recovery]
    (tmp_path / "processes").mkdir()
    for name in "ab":
        (tmp_path / "processes" / f"{name}.log").write_bytes(b"x" * 6_000_000)
    (tmp_path / "processes" / "a.log.1").mkdir()  # in the way: what cannot be done for one is done for the other

    class Twice(ManualClock):
        turns = 0

        async def sleep_until(self, at):
            self.turns += 1
            if self.turns > 2:
                raise asyncio.CancelledError
            assert at == self.now() + 60_000

    with pytest.raises(asyncio.CancelledError):
        await ProcessLogs(lambda: actuators, Twice()).run()
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "processes").iterdir() if path.is_file()}
    assert sizes == {"a.log": 6_000_000, "b.log": 0, "b.log.1": 6_000_000}
    assert len([record for record in caplog.records if "cannot be trimmed" in record.getMessage()]) == 2
