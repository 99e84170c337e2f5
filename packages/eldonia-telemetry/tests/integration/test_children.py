"""Children that ``multiprocessing`` starts, by each of its ways: set up as their parent, and they lose nothing."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROGRAM = """
    import logging, multiprocessing, sys, time
    from concurrent.futures import ProcessPoolExecutor
    import eldonia_telemetry as telemetry
    from eldonia_telemetry import runtime

    runtime.EXIT_TIMEOUT = 30.0  # what is tested is that they deliver, not how fast a busy machine lets them

    def work(number):
        telemetry.get_logger(component="child").info(f"from {number}")
        logging.getLogger("lib").warning(f"lib {number}")
        telemetry.metrics.counter("jobs_total").inc()
        with telemetry.traces.span(f"job {number}"):
            pass
        return number

    def work_for_ever(number):
        work(number)
        time.sleep(600)

    def grandparent(number):
        child = multiprocessing.get_context(sys.argv[1]).Process(target=work, args=(number,))
        child.start()
        child.join()

    if __name__ == "__main__":
        telemetry.init(service="shop", environment="test", version="7", otlp_endpoint=sys.argv[3], otlp_metrics=True,
                       ingest_token="secret-of-ours", console=False, spill_dir=sys.argv[4])
        context = multiprocessing.get_context(sys.argv[1])
        match sys.argv[2]:
            case "process" | "grandchild":
                target = work if sys.argv[2] == "process" else grandparent
                children = [context.Process(target=target, args=(n,)) for n in range(3)]
                for child in children: child.start()
                for child in children: child.join()
                assert all(child.exitcode == 0 for child in children)
            case "pool":  # which ends its workers by SIGTERM
                with context.Pool(2) as pool:
                    assert pool.map(work, range(3), chunksize=1) == [0, 1, 2]
            case "executor":
                with ProcessPoolExecutor(2, mp_context=context) as pool:
                    assert list(pool.map(work, range(3))) == [0, 1, 2]
            case "daemon":  # is ended with its parent, by SIGTERM
                children = [context.Process(target=work_for_ever, args=(n,), daemon=True) for n in range(3)]
                for child in children: child.start()
                sys.stdin.readline()
"""


def programs(collector, tmp_path: Path, method: str, kind: str) -> subprocess.Popen:
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    return subprocess.Popen(
        [sys.executable, "program.py", method, kind, collector.url, str(tmp_path / "spill")],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def names(resources: list[dict], key: str) -> set[str]:
    return {
        next(iter(one["value"].values()))
        for resource in resources
        for one in resource["attributes"]
        if one["key"] == key
    }


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("kind", ["process", "pool", "executor", "grandchild", "daemon"])
def test_children_deliver_as_the_service_that_their_parent_is(tmp_path, collector, method, kind):
    program = programs(collector, tmp_path, method, kind)
    try:
        if kind == "daemon":  # they are at work when their parent ends
            for _ in range(600):
                if sum(message.startswith("from") for message in collector.messages()) == 3:
                    break
                assert program.poll() is None
                try:
                    program.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
        _, err = program.communicate("\n", timeout=60)
    finally:
        program.kill()
    assert (program.returncode, err) == (0, "")
    assert collector.messages() == ["from 0", "from 1", "from 2", "lib 0", "lib 1", "lib 2"]
    assert sorted(span["name"] for span in collector.spans) == ["job 0", "job 1", "job 2"]
    assert names(collector.resources, "service.name") == {"shop"}
    assert names(collector.resources, "deployment.environment.name") == {"test"}
    last: dict[str, int] = {}
    for instance, point in collector.points("jobs_total"):
        if not point.get("flags"):  # which say that the series has ended
            last[instance] = int(point.get("asInt", point.get("asDouble")))
    assert sum(last.values()) == 3
    assert collector.authorizations == {"Bearer secret-of-ours"}


def test_a_program_that_handles_sigterm_itself_goes_on_doing_so(tmp_path):
    (tmp_path / "program.py").write_text(
        textwrap.dedent("""
            import json, multiprocessing, os, signal, sys, time
            import eldonia_telemetry as telemetry

            def own(*_):
                print("own", flush=True)
                os._exit(7)

            def work(ready):
                signal.signal(signal.SIGTERM, own)
                ready.set()
                time.sleep(60)

            if __name__ == "__main__":
                telemetry.init(service="shop", console=False)
                # What spawned children inherit is no part of what other programs do.
                assert not [name for name in os.environ if name.startswith("ELDONIA_")]
                context = multiprocessing.get_context("spawn")
                ready = context.Event()
                child = context.Process(target=work, args=(ready,))
                child.start()
                ready.wait()
                child.terminate()
                child.join()
                print(child.exitcode)
        """)
    )
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("own\n7\n", "")


def test_a_child_that_sets_itself_up_is_what_it_says(tmp_path):
    (tmp_path / "program.py").write_text(
        textwrap.dedent("""
            import json, multiprocessing, sys
            import eldonia_telemetry as telemetry
            if __name__ != "__main__":
                telemetry.init(service="worker", log_dir="log", console=False)

            def work():
                telemetry.get_logger().info("here")

            if __name__ == "__main__":
                telemetry.init(service="shop", log_dir="log", console=False)
                child = multiprocessing.get_context("spawn").Process(target=work)
                child.start()
                child.join()
        """)
    )
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(row) for row in (tmp_path / "log" / "combined.log").read_text().splitlines()]
    assert [row["service"] for row in rows] == ["worker"]
