"""``make fuzz``: fuzz every target for some time, or those that are named.

    make fuzz                                  each target for --seconds (default 120), two at a time
    make fuzz ARGS="promql_parse matchers"     these targets; a name may be a pattern such as "otlp_*"
    make fuzz ARGS="--seconds 600 log_line"
    make fuzz ARGS="--list"
    make fuzz ARGS="--repeat tests/fuzz/corpus/log_line/found-1a2b3c4d"

What breaks a target is minimised and kept in its corpus, where the tests run it from then on.
"""

import argparse
import fnmatch
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from fuzz.search import Finding, minimised, tried
from fuzz.target import CORPUS, Target, all_targets

ROOT: Final = Path(__file__).parents[2]
INPUTS: Final = ROOT / ".fuzz"
"""What reached new code in earlier runs; git ignores it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns how the process ends: 1 when something broke a target."""
    parser = argparse.ArgumentParser(
        prog="fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", help="names or patterns; all without any")
    parser.add_argument("--seconds", type=float, default=120, help="for each target (default 120)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeats the mutations of another run")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="targets at a time")
    parser.add_argument("--plain", action="store_true", help="mutations alone, without coverage")
    parser.add_argument("--list", action="store_true", help="print the names of the targets and end")
    parser.add_argument("--repeat", type=Path, help="run one input of a corpus and show what happens")
    given = parser.parse_args(arguments)
    known = all_targets()
    if given.repeat is not None:
        return _repeat(known, given.repeat)
    wanted = [name for name in known if _is_wanted(name, given.targets)]
    if given.list or not wanted:
        print("\n".join(known))
        if not given.list:
            print(f"no target is called {' or '.join(given.targets)}: the names are above", file=sys.stderr)
        return 0 if given.list else 2
    print(f"{len(wanted)} targets, {given.seconds:g} s each, {given.jobs} at a time; seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch, ThreadPoolExecutor(given.jobs) as pool:
        runs = [pool.submit(_run, known[name], given, Path(scratch)) for name in wanted]
        broken = [name for name, run in zip(wanted, runs, strict=True) if run.result()]
    print(f"{len(wanted) - len(broken)} targets held, {len(broken)} broke{': ' if broken else ''}{', '.join(broken)}")
    return 1 if broken else 0


def _is_wanted(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _run(target: Target, given: argparse.Namespace, scratch: Path) -> bool:
    """One target in its own process; whether anything broke it."""
    inputs, findings = INPUTS / target.name, scratch / target.name
    inputs.mkdir(parents=True, exist_ok=True)
    findings.mkdir()
    options = ["--seconds", str(given.seconds), "--seed", str(given.seed % 2**31)]
    command = [sys.executable, "-m", "fuzz.worker", target.name, *options]
    command += ["--findings", str(findings), "--inputs", str(inputs), *(["--plain"] if given.plain else [])]
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    last, said, tail = "", time.monotonic(), []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            tail = [*tail[-30:], line]
            last = line.strip() if line[:1] == "#" and line[1:2].isdigit() else last
            if time.monotonic() - said > 15:
                said = time.monotonic()
                print(f"  {target.name}: {last}", flush=True)
    found = [path for path in sorted(findings.glob("*")) if path.suffix != ".json"]
    kept = [_keep(target, path) for path in found]
    if process.returncode and not kept:
        print(f"{target.name}: the process ended with {process.returncode}\n{''.join(tail)}", flush=True)
        return True
    print(f"{target.name}: {'held' if not kept else 'BROKEN'}; {last}", flush=True)
    return bool(kept)


def _keep(target: Target, path: Path) -> Path:
    """Minimise an input, put it into the corpus and say how to repeat it."""
    data, report = path.read_bytes(), path.with_suffix(".json")
    detail = "the process died: a crash in C, too much memory, or more than 60 s"
    if report.exists():
        said: dict[str, Any] = json.loads(report.read_text())
        detail = said["detail"]
        data = minimised(Finding(target.name, data, said["signature"], detail), target)
    target.corpus.mkdir(parents=True, exist_ok=True)
    kept = target.corpus / f"found-{hashlib.sha256(data).hexdigest()[:8]}"
    kept.write_bytes(data)
    name = kept.relative_to(ROOT) if kept.is_relative_to(ROOT) else kept
    print(f'{target.name}: BROKEN by {data[:200]!r}\n{detail}\n  again: make fuzz ARGS="--repeat {name}"', flush=True)
    return kept


def _repeat(known: dict[str, Target], path: Path) -> int:
    path = path if path.is_absolute() else ROOT / path
    target = known.get(path.parent.name)
    if target is None or not path.is_file():
        print(f"{path} is no file of a corpus ({CORPUS})", file=sys.stderr)
        return 2
    started = time.process_time()
    finding = tried(target, path.read_bytes())
    print(f"{target.name}: {time.process_time() - started:.3f} CPU-seconds")
    if finding is not None:
        print(finding.detail)
    return 1 if finding is not None else 0


if __name__ == "__main__":
    sys.exit(main())
