"""Several processes on one set of files; forks; exits; loads that the SDK must survive."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest

PROCESSES, EACH = 6, 4000


def python(code: str, *arguments: str, **more) -> subprocess.Popen:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ELDONIA_")}
    env.update(more.pop("env", {}))
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        **more,
    )


def finish(process: subprocess.Popen, seconds: float = 60) -> tuple[str, str]:
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return out, err


def test_processes_share_files_that_are_compressed_and_kept_by_the_second(tmp_path: Path):
    code = """
        import sys, threading, eldonia_telemetry as telemetry
        telemetry.init(service="w", log_dir=sys.argv[1], log_max_bytes=60_000, log_max_files=2000, console=False,
                       log_compress=True, log_rotate_every=1)
        log = telemetry.get_logger(component=sys.argv[2])
        for number in range(int(sys.argv[3])):
            log.info("record", number=number, filler="x" * (number % 300))
        for thread in threading.enumerate():
            if "compress" in thread.name:
                thread.join()
    """
    workers = [python(code, str(tmp_path), f"p{n}", "2000") for n in range(8)]
    workers[0].kill()  # anywhere
    workers[0].communicate()
    for worker in workers[1:]:
        assert finish(worker)[1] == ""
    seen: list[tuple[str, int]] = []
    for file in tmp_path.glob("combined.log*"):
        data = file.read_bytes()
        for row in (gzip.decompress(data) if file.suffix == ".gz" else data).splitlines():
            record = json.loads(row)
            seen.append((record["component"], record["metadata"]["number"]))
    assert len(seen) == len(set(seen))
    assert {key for key in seen if key[0] != "p0"} == {(f"p{n}", m) for n in range(1, 8) for m in range(2000)}
    assert any(file.suffix == ".gz" for file in tmp_path.iterdir())


def test_processes_share_rotated_files_without_losing_or_tearing_a_record(tmp_path: Path):
    code = """
        import sys, eldonia_telemetry as telemetry
        telemetry.init(service="w", log_dir=sys.argv[1], log_max_bytes=100_000, log_max_files=2000, console=False)
        log = telemetry.get_logger(component=sys.argv[2])
        for number in range(int(sys.argv[3])):
            log.info("record", number=number, filler="x" * (number % 300))
    """
    workers = [python(code, str(tmp_path), f"p{n}", str(EACH)) for n in range(PROCESSES)]
    for worker in workers:
        assert finish(worker)[1] == ""
    seen: set[tuple[str, int]] = set()
    files = [f for f in tmp_path.iterdir() if f.name.startswith("combined.log")]
    for file in files:
        for row in file.read_bytes().splitlines():
            record = json.loads(row)
            key = (record["component"], record["metadata"]["number"])
            assert key not in seen
            seen.add(key)
    assert len(seen) == PROCESSES * EACH
    assert len(files) > 30
    # A file overshoots by what the others write before they notice, not more.
    assert max(f.stat().st_size for f in files) < 130_000
    assert {f"combined.log.{n}" for n in range(1, len(files))} | {"combined.log"} == {f.name for f in files}


def test_errors_go_to_a_file_of_their_own(tmp_path: Path):
    code = """
        import sys, logging, eldonia_telemetry as telemetry
        telemetry.init(log_dir=sys.argv[1])
        telemetry.get_logger().info("fine")
        logging.getLogger("lib").error("library trouble")
    """
    out, err = finish(python(code, str(tmp_path), env={"ELDONIA_SERVICE": "from-env"}))
    assert (out, err) == ("", "")
    combined = [json.loads(line) for line in (tmp_path / "combined.log").read_text().splitlines()]
    errors = [json.loads(line) for line in (tmp_path / "error.log").read_text().splitlines()]
    assert [r["message"] for r in combined] == ["fine", "library trouble"]
    assert errors == combined[1:]
    assert {r["service"] for r in combined} == {"from-env"}


def test_without_a_directory_the_console_gets_json_lines():
    code = """
        import eldonia_telemetry as telemetry
        telemetry.get_logger().info("before init")
        telemetry.init(service="s")
        telemetry.get_logger().info("after init")
    """
    out, _ = finish(python(code))
    assert [(r["service"], r["message"]) for r in map(json.loads, out.splitlines())] == [
        ("unknown", "before init"),
        ("s", "after init"),
    ]


def test_a_full_disk_and_a_closed_console_are_said_once(tmp_path: Path):
    (tmp_path / "logs").mkdir()
    os.symlink("/dev/full", tmp_path / "logs" / "combined.log")
    code = """
        import sys, eldonia_telemetry as telemetry
        telemetry.init(log_dir=sys.argv[1])
        for _ in range(100):
            telemetry.get_logger().info("x")
        lines = telemetry.metrics.exposition()[1].decode().splitlines()
        print([line for line in lines if line.startswith("eldonia_telemetry_lost_total")])
    """
    out, err = finish(python(code, str(tmp_path / "logs")))
    assert err.count("\n") == 1
    assert "ENOSPC" in err
    assert 'signal="log"} 100' in out


def test_forked_workers_log_count_and_trace_for_themselves(tmp_path: Path, collector):
    code = """
        import os, sys, threading, eldonia_telemetry as telemetry
        telemetry.init(service="f", log_dir=sys.argv[1], otlp_endpoint=sys.argv[2], ingest_token="t")
        stop = False
        def busy():
            while not stop:
                telemetry.get_logger(component="busy").info("x")
                telemetry.metrics.standard.orders.inc()
        threads = [threading.Thread(target=busy) for _ in range(3)]
        with telemetry.traces.span("before"):
            pass
        for thread in threads: thread.start()
        children = []
        for number in range(5):
            child = os.fork()
            if child == 0:
                stop = True
                telemetry.get_logger(component="child").info(str(number))
                telemetry.metrics.standard.orders.inc()
                with telemetry.traces.span(f"child {number}"):
                    pass
                telemetry.flush(5)
                os._exit(0)
            children.append(child)
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
        stop = True
        for thread in threads: thread.join()
    """
    finish(python(code, str(tmp_path), collector.url))
    records = [json.loads(line) for f in tmp_path.glob("combined.log*") for line in f.read_text().splitlines()]
    assert sorted(r["message"] for r in records if r["component"] == "child") == list("01234")
    names = [span["name"] for span in collector.spans]
    assert sorted(names) == ["before", *(f"child {n}" for n in range(5))]


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "not an address:x", "ftp://x"])
def test_a_backend_that_is_not_there_does_not_hold_up_the_exit(endpoint):
    code = """
        import sys, time, eldonia_telemetry as telemetry
        telemetry.init(service="s", otlp_endpoint=sys.argv[1], console=False)
        began = time.monotonic()
        for _ in range(20_000):
            with telemetry.traces.span("x"):
                pass
        print(time.monotonic() - began)
    """
    _, err = finish(python(code, endpoint), seconds=15)
    assert err.startswith("eldonia-telemetry: ")
    assert len(err.splitlines()) <= 4


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("where", ["module", "worker"])
def test_workers_of_multiprocessing_deliver_before_they_leave(tmp_path: Path, collector, method, where):
    init = f'telemetry.init(service="w", otlp_endpoint={collector.url!r}, console=False, spill_dir={str(tmp_path)!r})'
    (tmp_path / "program.py").write_text(
        textwrap.dedent(f"""
            import multiprocessing
            import eldonia_telemetry as telemetry
            {init if where == "module" else ""}
            def work(number):
                {init if where == "worker" else ""}
                telemetry.get_logger(component="worker").info(f"from {{number}}")
            if __name__ == "__main__":
                context = multiprocessing.get_context({method!r})
                workers = [context.Process(target=work, args=(number,)) for number in range(3)]
                for worker in workers: worker.start()
                for worker in workers: worker.join()
        """)
    )
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, check=True, timeout=60)
    assert collector.messages() == ["from 0", "from 1", "from 2"]


def test_a_forked_child_counts_from_the_start():
    code = """
        import os, eldonia_telemetry as telemetry
        counter, gauge = telemetry.metrics.counter("jobs_total"), telemetry.metrics.gauge("build")
        histogram = telemetry.metrics.histogram("took_seconds")
        counter.inc(5); gauge.set(7); histogram.observe(1)
        child = os.fork()
        if not child:
            counter.inc(2)
            value = telemetry.metrics.registry.value
            os._exit(0 if (value("jobs_total"), value("build"), value("took_seconds_count")) == (2, 7, 0) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert telemetry.metrics.registry.value("jobs_total") == 5
    """
    finish(python(code))


@pytest.mark.parametrize("app", ["django_app:asgi_application", "starlette_app:app"])
def test_what_is_queued_arrives_when_the_server_is_stopped(tmp_path: Path, collector, app):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "ELDONIA_OTLP_ENDPOINT": collector.url,
        "ELDONIA_SPILL_DIR": str(tmp_path),
        "ELDONIA_OTLP_METRICS": "1",
    }
    examples = Path(__file__).parents[2] / "examples"
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", app, "--port", str(port)],
        cwd=examples,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/works/1").read()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    finally:
        server.kill()
    assert set(collector.bodies) == {"/v1/logs", "/v1/traces", "/v1/metrics"}


def test_records_that_waited_outlive_a_killed_process_and_are_no_childs(tmp_path: Path):
    code = """
        import asyncio, os, sys, time, eldonia_telemetry as telemetry
        telemetry.init(service="w", log_dir=sys.argv[1], console=False, access_log_delay=float(sys.argv[2]))

        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": int(scope["path"][1:]), "headers": []})
            await send({"type": "http.response.body", "body": b""})

        async def send(message): pass

        def get(path):
            scope = {"type": "http", "method": "GET", "path": path, "headers": []}
            asyncio.run(telemetry.TelemetryMiddleware(app)(scope, None, send))

        get("/200")
        get("/201")
        if not os.fork():
            get("/202")
            os._exit(0)  # as servers do that fork for each request: the first does not wait
        os.wait()
        get(sys.argv[3])
        print("done", flush=True)
        time.sleep(60)
    """

    def paths() -> list[str]:
        path = tmp_path / "combined.log"
        return [json.loads(row)["metadata"]["path"] for row in path.read_bytes().splitlines()] if path.exists() else []

    # By time; then by a request that failed, whose record never waits.
    for delay, last in (("0.05", "/203"), ("60", "/503")):
        worker = python(code, str(tmp_path), delay, last)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "done\n"
        end = time.monotonic() + 10
        while len(paths()) < 4 and time.monotonic() < end:
            time.sleep(0.01)
        worker.kill()
        worker.communicate()
        assert sorted(paths()) == ["/200", "/201", "/202", last]
        (tmp_path / "combined.log").unlink()
