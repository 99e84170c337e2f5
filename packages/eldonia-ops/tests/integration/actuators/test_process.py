"""A supervised program that outlives its supervisor."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from required_tools import requires_host

from eldonia_ops.actuators.process import ProcessSpec, SupervisedProcess
from eldonia_ops.ports import ActuatorError

pytestmark = requires_host(sys.platform == "linux", "needs /proc")


@pytest.fixture
def make(tmp_path):
    made = []

    def build(script, **options):
        spec = ProcessSpec(
            "shop",
            (sys.executable, "-c", script),
            tmp_path / "run" / "shop.pid",
            tmp_path / "log" / "shop.log",
            **{"settle_ms": 300, "stop_ms": 3_000, **options},
        )
        made.append(spec)
        return spec

    yield build
    for spec in made:
        found = SupervisedProcess(spec).running()
        if found is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(found.pid, signal.SIGKILL)


def read(path):
    return Path(path).read_text()


def gone(pid):
    try:
        return " Z " in read(f"/proc/{pid}/stat")
    except FileNotFoundError:
        return True


async def until(condition):
    """Wait for what must come; a test that waits in vain fails after a while."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what other processes do is no event
            await asyncio.sleep(0.01)


async def said(spec):
    """What the program wrote, as soon as it wrote a line: it may well take longer than it has to settle."""
    await until(lambda: spec.log_file.read_text().endswith("\n"))
    return spec.log_file.read_text()


SLEEP = "import time, sys; print('up', flush=True); time.sleep(60)"


async def test_starts_stops_and_restarts(make, tmp_path):
    spec = make(SLEEP, env={"X": "1"}, cwd=str(tmp_path))
    process = SupervisedProcess(spec)
    assert process.running() is None
    notified = await process.ensure_started()
    first = process.running()
    assert notified == f"started shop (process {first.pid})"
    assert await said(spec) == "up\n"
    assert os.getsid(first.pid) == first.pid != os.getsid(0)
    assert os.readlink(f"/proc/{first.pid}/cwd") == str(tmp_path)
    assert b"X=1" in read(f"/proc/{first.pid}/environ").encode()
    assert await process.ensure_started() == f"shop runs already (process {first.pid})"
    notified = await process.restart()
    second = process.running()
    assert second.pid != first.pid
    assert notified.startswith(f"restarted shop (process {first.pid} stopped within")
    assert notified.endswith(f"now process {second.pid})")
    await until(lambda: spec.log_file.read_text() == "up\nup\n")
    assert "stopped" in await process.stop()
    assert process.running() is None
    assert await process.stop() == "it was not running"


async def test_a_crashed_program_is_started_again(make):
    process = SupervisedProcess(make(SLEEP))
    await process.ensure_started()
    os.kill(process.running().pid, signal.SIGKILL)
    await until(lambda: process.running() is None)
    assert "it was not running" in await process.restart()
    assert process.running() is not None


async def test_a_program_that_will_not_stop_is_killed_with_its_children(make):
    script = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "c = subprocess.Popen(['sleep', '60']); print(c.pid, flush=True); time.sleep(60)"
    )
    spec = make(script, stop_ms=200)
    process = SupervisedProcess(spec)
    await process.ensure_started()
    child = int(await said(spec))
    assert "was killed, since it did not stop within 0.2 s" in await process.stop()
    await until(lambda: gone(child))


async def test_a_program_that_ends_at_once_did_not_start(make):
    with pytest.raises(ActuatorError, match="shop ended at once with 7: no port"):
        await SupervisedProcess(make("import sys; print('no port'); sys.exit(7)", settle_ms=5_000)).ensure_started()
    spec = make(SLEEP)
    bad = ProcessSpec("shop", ("/no/such/thing",), spec.pid_file, spec.log_file)
    with pytest.raises(ActuatorError, match=r"shop ended at once with 127: [^\n]*not found"):
        await SupervisedProcess(bad).restart()


async def test_somebody_elses_process_is_not_taken_for_ours(make):
    spec = make(SLEEP)
    process = SupervisedProcess(spec)
    await process.ensure_started()
    text = spec.pid_file.read_text()
    await process.stop()
    # The same number, given to another process since: here one of the test's own.
    other = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220
    try:
        own = read(f"/proc/{other.pid}/stat").split(") ")[1].split()
        stat, boot = text.split("\n")[:2]
        fields = stat.partition(") ")[2].split()
        for ticks, name, expected in [
            (int(own[19]) - 1, boot, None),
            (int(own[19]), boot, other.pid),
            (int(own[19]), "another-boot", None),
        ]:
            fields[19] = str(ticks)
            spec.pid_file.write_text(f"{other.pid} (x) {' '.join(fields)}\n{name}\n")
            found = process.running()
            assert (found and found.pid) == expected
        for damaged in ("", "x", "1", "1 (\n\n", f"1 (sh) S 1\n{boot}\n"):
            spec.pid_file.write_text(damaged)
            assert process.running() is None
    finally:
        other.kill()
        other.wait()


async def test_what_a_crashed_program_left_behind_is_ended(make):
    script = "import subprocess, time; c = subprocess.Popen(['sleep', '60']); print(c.pid, flush=True); time.sleep(60)"
    spec = make(script)
    process = SupervisedProcess(spec)
    await process.ensure_started()
    child = int(await said(spec))
    os.kill(process.running().pid, signal.SIGKILL)
    await until(lambda: process.running() is None)
    assert not gone(child)
    await process.restart()
    await until(lambda: gone(child))


PLATFORM = """
import asyncio, sys
from pathlib import Path
from eldonia_ops.actuators.process import ProcessSpec, SupervisedProcess

async def main():
    program = (sys.executable, "-c", "import time; time.sleep(60)")
    process = SupervisedProcess(ProcessSpec("shop", program, Path(sys.argv[1]), Path(sys.argv[2]), settle_ms=100))
    print(await process.ensure_started(), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_the_program_survives_its_killed_supervisor_and_is_found_again(make):
    spec = make(SLEEP)
    notified = []
    for _ in range(3):
        platform = subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-c", PLATFORM, str(spec.pid_file), str(spec.log_file)], stdout=subprocess.PIPE, text=True
        )
        notified.append(platform.stdout.readline().strip())
        platform.kill()
        platform.wait()
        platform.stdout.close()
    process = SupervisedProcess(spec)
    pid = process.running().pid
    assert notified == [f"started shop (process {pid})"] + [f"shop runs already (process {pid})"] * 2
    assert f"process {pid} stopped" in await process.restart()
    assert process.running().pid != pid
    await process.stop()


async def test_a_large_log_is_moved_aside(make):
    spec = make(SLEEP)
    spec.log_file.parent.mkdir()
    spec.log_file.write_bytes(b"x" * (5 * 1024 * 1024 + 1))
    process = SupervisedProcess(spec)
    await process.ensure_started()
    assert await said(spec) == "up\n"
    assert len(read(f"{spec.log_file}.1")) > 5_000_000
    await process.stop()


async def test_a_large_output_is_emptied_under_the_running_program(make, tmp_path):
    ask = tmp_path / "ask"
    script = (
        "import os, time\n"
        "print('x' * 5_300_000, flush=True)\n"
        f"while not os.path.exists({str(ask)!r}): time.sleep(0.01)\n"
        "print('later', flush=True); time.sleep(60)"
    )
    spec = make(script)
    process = SupervisedProcess(spec)
    assert process.trim_log() is False  # there is no output yet
    await process.ensure_started()
    await said(spec)
    assert process.trim_log() is True
    assert spec.log_file.read_bytes() == b""
    assert len(read(f"{spec.log_file}.1")) == 5_300_001
    ask.touch()
    assert await said(spec) == "later\n"  # at the beginning of the file, with no hole in front
    assert process.trim_log() is False
    spec.log_file.write_bytes(b"y" * 6_000_000)
    assert process.trim_log() is True
    assert read(f"{spec.log_file}.1") == "y" * 6_000_000
    assert sorted(path.name for path in spec.log_file.parent.iterdir()) == ["shop.log", "shop.log.1"]
    await process.stop()
