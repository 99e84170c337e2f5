"""Who may come in: tokens, roles, addresses, on the real server over HTTP."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from programs import eventually, free_port


def test_it_refuses_to_listen_beyond_this_machine_without_a_token_and_puts_the_first_one_into_a_file(
    program: Callable[..., Any], tmp_path: Path
) -> None:
    data, port = tmp_path / "data", free_port()
    settings = tmp_path / "eldonia-ops.yml"
    settings.write_text("host: {enabled: false}\n")
    serve = ("-m", "eldonia_ops", "serve", "--config", str(settings), "--data", str(data), "--listen")

    for attempt in range(2):  # that it was refused once makes no difference
        open_to_all = program(f"open-{attempt}", *serve, f"0.0.0.0:{port}")
        open_to_all.start()
        assert open_to_all.wait(30) == 2
        assert "refusing to listen on 0.0.0.0" in open_to_all.said()
        assert "start once on a loopback address" in open_to_all.said()
        assert not (data / "admin.token").exists()

    said = []
    url = f"http://127.0.0.1:{port}"
    for attempt in range(2):
        platform = program(f"platform-{attempt}", *serve, f"127.0.0.1:{port}")
        platform.start()
        eventually(
            lambda: httpx.get(f"{url}/-/ready", timeout=2, trust_env=False, verify=False).is_success,
            "ready",
            30,
            platform,
        )
        if attempt == 0:
            _try_roles(url, (data / "admin.token").read_text().strip())
        assert platform.stop() == 0
        said.append(platform.said())
    token = (data / "admin.token").read_text().strip()
    assert all(token not in one for one in said)  # it is shown on a terminal alone: what is printed here may be logged
    assert all(str(data / "admin.token") in one.replace("\n", "") for one in said)
    assert stat.S_IMODE((data / "admin.token").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "state.db").stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def _try_roles(url: str, admin_secret: str) -> None:
    def client(secret: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx.Client(base_url=url, headers=headers, timeout=10, trust_env=False)

    with client(admin_secret) as admin:
        made = {
            role: admin.post("/api/ops/v1/tokens", json={"name": f"a {role}", "role": role}).json()
            for role in ("ingest", "viewer", "responder")
        }
        reading = ["/api/ops/v1/overview", "/api/ops/v1/logs", "/api/v1/query?query=up", "/api/v2/alerts"]
        otlp = {
            "resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "hello"}}]}]}],
        }
        silence = {
            "matchers": [{"name": "alertname", "op": "=", "value": "X"}],
            "ends_at": 4_102_444_800_000,
            "comment": "why",
        }

        with client() as anonymous:
            assert anonymous.get("/-/healthy").status_code == 200
            assert {anonymous.get(path).status_code for path in reading} == {401}
            assert anonymous.post("/v1/logs", json=otlp).status_code == 401
        with client("eo_" + "a" * 40) as stranger:
            assert {stranger.get(path).status_code for path in reading} == {401}
        with client(made["ingest"]["secret"]) as ingest:
            assert ingest.post("/v1/logs", json=otlp).status_code == 200
            assert {ingest.get(path).status_code for path in reading} == {403}
            assert ingest.post("/api/ops/v1/silences", json=silence).status_code == 403
        with client(made["viewer"]["secret"]) as viewer:
            assert {viewer.get(path).status_code for path in reading} == {200}
            assert viewer.post("/api/ops/v1/silences", json=silence).status_code == 403
            incident = {"title": "t", "severity": "high", "service": "s"}
            assert viewer.post("/api/ops/v1/incidents", json=incident).status_code == 403
            assert viewer.post("/v1/logs", json=otlp).status_code == 403
            assert viewer.get("/api/ops/v1/tokens").status_code == 403
        with client(made["responder"]["secret"]) as responder:
            assert responder.post("/api/ops/v1/silences", json=silence).is_success
            assert responder.post("/api/ops/v1/tokens", json={"name": "x", "role": "admin"}).status_code == 403
        identifier = next(item["id"] for item in admin.get("/api/ops/v1/tokens").json() if item["name"] == "a viewer")
        assert admin.delete(f"/api/ops/v1/tokens/{identifier}").is_success
        with client(made["viewer"]["secret"]) as revoked:
            assert {revoked.get(path).status_code for path in reading} == {401}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listn: 127.0.0.1:1\n", ["eldonia-ops.yml:1:1", "listen"]),
        ("rules:\n  files: [rules.yml]\n", ["rules.yml:4:27", "unexpected"]),
    ],
    ids=["a mistyped key", "a rule that cannot be parsed"],
)
def test_a_faulty_file_keeps_it_from_starting_and_nothing_is_opened(
    text: str, said: list[str], program: Callable[..., Any], tmp_path: Path
) -> None:
    settings = tmp_path / "eldonia-ops.yml"
    settings.write_text(text)
    (tmp_path / "rules.yml").write_text("groups:\n  - name: g\n    rules:\n      - {alert: A, expr: ')('}\n")
    serve = program("platform", "-m", "eldonia_ops", "serve", "-c", str(settings), "--data", str(tmp_path / "data"))
    serve.start()
    assert serve.wait(30) == 2
    for words in said:
        assert words in serve.said()
    assert "Traceback" not in serve.said()
    assert not (tmp_path / "data").exists()
