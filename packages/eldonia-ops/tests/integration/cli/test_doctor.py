"""`eldonia-ops doctor` against a real platform, and without one."""

import json
import socket
import time

from serving import run_command, serving

SETTINGS = {
    "scrape": [{"job": "gone", "targets": ["127.0.0.1:1"], "interval": "1s", "timeout": "1s"}],
    "alertmanager": {"file": "alertmanager.yml"},
    # Without the shipped rules: at this speed TargetDown would fire, and its message fail, within a second.
    "rules": {"speed": 100.0, "defaults": False},
}
ROUTING = """
route: {receiver: dead, group_wait: 1ms, group_by: [alertname]}
receivers:
  - name: dead
    webhook_configs: [{url: 'http://127.0.0.1:1/hook?token=sesame-open-now'}]
"""


def findings(folder, *arguments):
    answer = run_command(folder, "doctor", "--json", *arguments)
    return answer.returncode, json.loads(answer.stdout)


def by_topic(found, topic):
    return [(one["gravity"], one["what"]) for one in found if one["topic"] == topic]


def test_a_running_platform_is_judged_by_its_own_settings(tmp_path):
    (tmp_path / "alertmanager.yml").write_text(ROUTING)
    (tmp_path / "alertmanager.yml").chmod(0o644)
    with serving(tmp_path, SETTINGS) as platform:
        code, found = findings(tmp_path)
        assert ("ok", "pages listens on " + platform.url.removeprefix("http://")) in by_topic(found, "ports")
        assert [gravity for gravity, _ in by_topic(found, "reload")] == ["ok"]
        # The address of a webhook is a secret, and the file is open to all.
        [held] = [one for one in by_topic(found, "permissions") if "alertmanager.yml holds secrets" in one[1]]
        assert held[0] == "warning"
        assert code == 0, [one for one in found if one["gravity"] == "error"]
        (tmp_path / "alertmanager.yml").chmod(0o600)

        now = time.time_ns() // 1_000_000
        with platform.client() as client:
            alert = {"labels": {"alertname": "A", "severity": "critical"}, "startsAt": now}
            posted = client.post("/api/v2/alerts", json=[{"labels": alert["labels"]}])
            assert posted.status_code == 200
            until = time.monotonic() + 30
            while not any(one["last_error"] for one in client.get("/api/ops/v1/notifications").json()):
                assert time.monotonic() < until
                time.sleep(0.1)
            (tmp_path / "eldonia-ops.yml").write_text("no: such key\n")
            (tmp_path / "eldonia-ops.yml").chmod(0o600)
            assert not client.post("/api/ops/v1/reload").json()["successful"]
        code, found = findings(tmp_path, "--url", platform.url, "--token", platform.token)
        assert code == 1
        assert by_topic(found, "receivers")[0][0] == "error"
        assert by_topic(found, "reload")[0][0] == "error"
        assert by_topic(found, "settings")[0][0] == "error"
        assert any("gone" in what for gravity, what in by_topic(found, "targets") if gravity == "warning")
        assert "sesame" not in json.dumps(found)


def test_without_a_platform_it_says_so_and_who_has_its_port(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "eldonia-ops.yml").write_text(f"listen: 127.0.0.1:{port}\ndata: data\n")
        code, found = findings(tmp_path)
    assert code == 1
    [(gravity, what)] = by_topic(found, "ports")
    assert gravity == "error"
    assert f":{port}" in what
    shown = run_command(tmp_path, "doctor", "--quiet")
    assert not any(line.startswith("ok") for line in shown.stdout.splitlines())
    assert not any(line != line.rstrip() for line in shown.stdout.splitlines())
