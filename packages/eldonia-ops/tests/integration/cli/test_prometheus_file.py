"""`eldonia-ops check` and `serve` with a prometheus.yml."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from serving import run_command, serving

PROMETHEUS = {
    "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "external_labels": {"cluster": "tokyo"}},
    "rule_files": ["rules/*.yml"],
    "remote_write": [{"url": "http://elsewhere/"}],
    "scrape_configs": [
        {
            "job_name": "ops",
            "static_configs": [{"targets": ["dropped:1", "127.0.0.1:PORT"], "labels": {"rack": "r1"}}],
            "relabel_configs": [
                {"action": "drop", "source_labels": ["__address__"], "regex": "dropped:.*"},
                {"source_labels": ["rack"], "regex": "r(.*)", "target_label": "row", "replacement": "row-$1"},
            ],
            "metric_relabel_configs": [{"action": "keep", "source_labels": ["__name__"], "regex": "always_.*"}],
        }
    ],
}
RULES = {
    "groups": [
        {
            "name": "g",
            "interval": "1s",
            "rules": [{"alert": "AlwaysThere", "expr": "always_one == 1", "labels": {"severity": "info"}}],
        }
    ]
}


def write(folder: Path, port: int) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "a.yml").write_text(yaml.safe_dump(RULES))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(PROMETHEUS).replace("PORT", str(port)))


def test_check_says_what_is_taken_and_what_is_not(tmp_path: Path) -> None:
    write(tmp_path, 9100)
    for arguments in (["prometheus.yml"], ["--prometheus.config.file", "prometheus.yml"]):
        done = run_command(tmp_path, "check", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "prometheus.yml: taken: 1 scrape job with 2 static targets; 1 pattern of rule files" in done.stdout
        assert "remote_write is not taken" in done.stdout
    (tmp_path / "prometheus.yml").write_text("scrape_configs: [{job_name: a, static_configs: [{targets: [x y]}]}]")
    done = run_command(tmp_path, "check", "prometheus.yml")
    assert done.returncode == 1
    assert "prometheus.yml:1:" in done.stdout


class Exporter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"always_one 1\nother_one 1\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said."""


@pytest.fixture
def exporter() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Exporter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_serve_scrapes_relabels_and_alerts_by_it(tmp_path: Path, exporter: int) -> None:
    write(tmp_path, exporter)
    arguments = ("--prometheus.config.file", str(tmp_path / "prometheus.yml"))
    with serving(tmp_path / "ops", arguments=arguments) as platform, platform.client() as client:
        until = time.monotonic() + 60
        alerts: list[dict] = []
        while not alerts and time.monotonic() < until:
            time.sleep(0.3)
            alerts = [one for one in client.get("/api/ops/v1/alerts").json() if one["name"] == "AlwaysThere"]
        series = client.get("/api/ops/v1/query", params={"query": "{job='ops'}"}).json()["series"]
        targets = client.get("/api/ops/v1/targets").json()
        log = (platform.folder / "serve.log").read_text()
    assert alerts[0]["labels"]["cluster"] == "tokyo"
    found = {one["labels"]["__name__"]: one["labels"] for one in series}
    assert "other_one" not in found
    assert (found["always_one"]["rack"], found["always_one"]["row"]) == ("r1", "row-1")
    names = [one["name"] for one in targets if one["kind"] == "scrape"]
    assert names == [f'ops/127.0.0.1:{exporter}{{rack="r1", row="row-1"}}']
    assert "taken     1 scrape job with 2 static targets" in log
    assert "remote_write is not taken" in log
