"""`eldonia-ops backup` and `restore` on real platforms: what comes back is what was acknowledged."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
from serving import Serving, run_command, serving


def send_logs(client: httpx.Client, first: int, count: int) -> None:
    """Log records with numbers in their messages; returns when they are acknowledged."""
    records = [
        {
            "timeUnixNano": str(time.time_ns()),
            "severityText": "INFO",
            "body": {"stringValue": f"record number n{number}"},
        }
        for number in range(first, first + count)
    ]
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    client.post("/v1/logs", json=body).raise_for_status()


def send_sample(client: httpx.Client, value: int) -> None:
    point = {"timeUnixNano": str(time.time_ns()), "asInt": str(value)}
    metric = {"name": "orders", "sum": {"dataPoints": [point], "isMonotonic": True, "aggregationTemporality": 2}}
    client.post("/v1/metrics", json={"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).raise_for_status()


def numbers(client: httpx.Client) -> set[int]:
    """The numbers of all records that are stored; a number that is stored twice is a fault."""
    found: list[int] = []
    before = None
    while True:
        params = {"q": "record number", "since": "-1d", "limit": 1000, **({"before": before} if before else {})}
        page = client.get("/api/ops/v1/logs", params=params).raise_for_status().json()
        found += [int(record["message"].rpartition("n")[2]) for record in page["records"]]
        if not page["more"] or not page["records"]:
            assert len(found) == len(set(found))
            return set(found)
        before = page["records"][-1]["cursor"]


def answers(client: httpx.Client) -> dict[str, object]:
    """What is stored, in answers that do not depend on now."""
    incidents = client.get("/api/ops/v1/incidents").json()
    orders = client.get("/api/ops/v1/query", params={"query": "count_over_time(orders_total[1h])"}).json()
    return {
        "logs": numbers(client),
        "orders": [series["points"][-1][1] for series in orders["series"]],
        "incidents": [(one["reference"], one["title"], one["status"]) for one in incidents],
        "silences": [(one["id"], one["comment"]) for one in client.get("/api/ops/v1/silences").json()],
        "tokens": [(one["name"], one["role"]) for one in client.get("/api/ops/v1/tokens").json()],
    }


def fill(client: httpx.Client) -> None:
    send_logs(client, 0, 300)
    for value in range(3):
        send_sample(client, value)
    client.post(
        "/api/ops/v1/incidents", json={"title": "oven cold", "severity": "high", "service": "bakery"}
    ).raise_for_status()
    silence = {"matchers": [{"name": "a", "value": "b"}], "ends_at": 4_000_000_000_000, "comment": "quiet"}
    client.post("/api/ops/v1/silences", json=silence).raise_for_status()
    client.post("/api/ops/v1/tokens", json={"name": "bakery", "role": "ingest"}).raise_for_status()


def restored(source: Path, archive: Path, target: Path) -> None:
    """Put an archive into a new folder, with the settings of the first platform."""
    target.mkdir()
    (target / "eldonia-ops.yml").write_bytes((source / "eldonia-ops.yml").read_bytes())
    answer = run_command(target, "restore", str(archive))
    assert answer.returncode == 0, answer.stderr


def left_behind(platform: Serving) -> list[str]:
    names = [path.name for path in platform.data.iterdir()]
    shadow = platform.data / "telemetry" / "data" / "shadow" / "eldonia_ops"
    return [name for name in names if name.startswith("backup")] + ([str(shadow)] if shadow.exists() else [])


def test_what_was_acknowledged_comes_back_from_a_running_platform_and_from_its_folder(tmp_path):
    first, second, third = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    with serving(first) as platform, platform.client() as client:
        fill(client)
    with serving(first) as platform, platform.client() as client:
        before = answers(client)  # after the orderly end these are in parts alone
        send_logs(client, 300, 50)  # and these in the write-ahead log
        made = run_command(first, "backup", str(tmp_path / "running.tar"))
        assert made.returncode == 0, made.stderr
        assert "verified" in made.stderr
        assert (tmp_path / "running.tar").stat().st_mode & 0o077 == 0
        assert left_behind(platform) == []
        before["logs"] = numbers(client)
    assert len(before["logs"]) == 350
    folder = run_command(first, "backup", str(tmp_path / "folder.tar"))
    assert folder.returncode == 0, folder.stderr
    assert "no platform answers" in folder.stderr
    for archive, target in ((tmp_path / "running.tar", second), (tmp_path / "folder.tar", third)):
        restored(first, archive, target)
        with serving(target) as platform, platform.client() as client:
            assert answers(client) == before


def test_a_backup_under_load_holds_all_that_was_acknowledged_before_it(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    acknowledged: list[int] = []
    stop = threading.Event()

    def send(platform: Serving) -> None:
        with platform.client() as client:
            number = 0
            while not stop.is_set():
                send_logs(client, number, 20)
                send_sample(client, number)
                number += 20
                acknowledged.append(number)

    with serving(first) as platform:
        sender = threading.Thread(target=send, args=(platform,))
        sender.start()
        try:
            while len(acknowledged) < 20:
                time.sleep(0.05)
                assert sender.is_alive()
            for count in range(3):
                archive = tmp_path / f"{count}.tar"
                known = acknowledged[-1]
                made = run_command(first, "backup", str(archive))
                assert made.returncode == 0, made.stderr
        finally:
            stop.set()
            sender.join()
    restored(first, archive, second)
    with serving(second) as platform, platform.client() as client:
        found = numbers(client)
        assert found >= set(range(known))
        assert found == set(range(len(found)))  # no gap in what came during the backup either


def test_a_kill_in_the_middle_leaves_nothing_that_looks_whole(tmp_path):
    first = tmp_path / "a"
    archive = tmp_path / "ops.tar"
    with serving(first) as platform:
        with platform.client() as client:
            fill(client)
            # The platform is killed while the archive is under way.
            with client.stream("GET", "/api/ops/v1/backup", headers={"Accept-Encoding": "identity"}) as stream:
                pieces = stream.iter_raw()
                part = next(pieces)
                platform.kill()
                with contextlib.suppress(httpx.HTTPError):
                    for piece in pieces:
                        part += piece
        (tmp_path / "cut.tar").write_bytes(part[:-600])
    cut = run_command(first, "restore", str(tmp_path / "cut.tar"), "--data", str(tmp_path / "never"))
    assert cut.returncode == 2
    assert not (tmp_path / "never" / "state.db").exists()
    with serving(first) as platform:
        assert left_behind(platform) == []
        # The command is killed while it writes.
        environment = {**os.environ, "HOME": str(first)}
        command = subprocess.Popen(
            [sys.executable, "-m", "eldonia_ops", "backup", str(archive)], cwd=first, env=environment
        )
        while not archive.with_name("ops.tar.partial").exists() and command.poll() is None:
            time.sleep(0.005)
        command.send_signal(signal.SIGKILL)
        command.wait()
        assert not archive.exists() or command.returncode == 0
        until = time.monotonic() + 30
        again = run_command(first, "backup", str(archive), "--force")
        while "being taken already" in again.stderr and time.monotonic() < until:
            again = run_command(first, "backup", str(archive), "--force")  # it has not noticed yet that no one reads
        assert again.returncode == 0, again.stderr
        assert left_behind(platform) == []


def test_restore_refuses_data_that_is_there_and_a_platform_that_runs(tmp_path):
    first = tmp_path / "a"
    archive = tmp_path / "ops.tar"
    with serving(first) as platform:
        assert run_command(first, "backup", str(archive)).returncode == 0
        twice = run_command(first, "backup", str(archive))
        assert twice.returncode == 2
        assert "--force" in twice.stderr
        running = run_command(first, "restore", str(archive), "--force")
        assert running.returncode == 2
        assert f"process {platform.process.pid}" in running.stderr
        with platform.client() as client:
            send_logs(client, 0, 5)
    refused = run_command(first, "restore", str(archive))
    assert refused.returncode == 2
    assert "nothing was changed" in refused.stderr
    forced = run_command(first, "restore", str(archive), "--force")
    assert forced.returncode == 0, forced.stderr
    [kept] = [path for path in first.iterdir() if path.name.startswith("data.before-restore-")]
    assert (kept / "state.db").is_file()
    with serving(first) as platform, platform.client() as client:
        assert numbers(client) == set()
