"""Several processes write one set of rotated files: is every record there once, and whole?"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

import eldonia_telemetry as telemetry
from benchmarks.harness import Row, Spread, Table

_SIZE = 5 * 1024 * 1024


class _Metadata(msgspec.Struct):
    process: int
    number: int
    filler: str


class _Record(msgspec.Struct):
    metadata: _Metadata


def run(quick: bool) -> list[Table]:
    """Records a second of all processes together.

    Raises:
        RuntimeError: a process failed, or a record is torn, missing or there twice.
    """
    processes, each = (4, 500) if quick else (8, 100_000)
    size = 20_000 if quick else _SIZE
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.logger_processes", folder, str(size), str(each)]
        workers = [subprocess.Popen([*command, str(n)], stderr=subprocess.PIPE, text=True) for n in range(processes)]
        failures = [said for worker in workers if (said := worker.communicate()[1]) or worker.returncode]
        seconds = time.perf_counter() - began
        if failures:
            raise RuntimeError(f"{len(failures)} of {processes} processes failed:\n{failures[0][-2000:]}")
        files = sorted(Path(folder).glob("combined.log*"))
        _check(files, processes, each)
    total = processes * each
    table = Table("Logger, several processes into one set of files")
    table.rows.append(Row(f"{processes} processes, {each:,} records each", Spread(*[total / seconds] * 3), "records/s"))
    table.rows.append(Row("read back, whole and once", Spread(total, total, total), "records"))
    table.notes = [
        f"they were in {len(files)} files; a record that is missing, torn or there twice ends the benchmark",
        "the start of the processes is included; the machine's cores are shared by all of them",
    ]
    return [table]


def _check(files: list[Path], processes: int, each: int) -> None:
    decode = msgspec.json.Decoder(_Record).decode
    seen = [bytearray(each) for _ in range(processes)]
    for file in files:
        with file.open("rb") as lines:
            for line in lines:
                try:
                    found = decode(line).metadata
                except msgspec.DecodeError as error:
                    raise RuntimeError(f"torn in {file.name}: {line[:200]!r}") from error
                if not line.endswith(b"\n") or found.filler != _filler(found.number):
                    raise RuntimeError(f"torn in {file.name}: {line[:200]!r}")
                if seen[found.process][found.number]:
                    raise RuntimeError(f"twice: {found}")
                seen[found.process][found.number] = 1
    missing = sum(one.count(0) for one in seen)
    if missing:
        raise RuntimeError(f"{missing:,} records are missing")


def _filler(number: int) -> str:
    return "x" * (number * 7 % 300)


def _write(folder: str, size: int, each: int, process: int) -> None:
    telemetry.init(service="shop", log_dir=folder, log_max_bytes=size, log_max_files=10_000, console=False)
    log = telemetry.get_logger(component="orders")
    for number in range(each):
        log.info("order placed", process=process, number=number, filler=_filler(number))


if __name__ == "__main__":
    _write(sys.argv[1], *map(int, sys.argv[2:]))
