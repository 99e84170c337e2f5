"""One target in a process of its own, guided by coverage where atheris is installed: ``python -m fuzz.worker NAME …``.

atheris (libFuzzer) changes the bytecode of what it instruments while that is imported, and ends its process itself:
therefore a process for each target. Findings do not end it: each new kind is written to the folder for findings.
"""

import argparse
import hashlib
import json
import random
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

MEMORY: Final = 6 << 30
"""Bytes of address space: what asks for more fails with a MemoryError, and is a finding."""
INSTRUMENTED_SECONDS: Final = 20.0
"""CPU-seconds of one input while every branch is counted."""


class Findings:
    """Writes each kind of finding once, as ``NAME-DIGEST`` (the input) and ``NAME-DIGEST.json`` (what happened)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._signatures: set[str] = set()

    def add(self, finding: Any) -> None:
        """Keep it unless one like it is known."""
        if finding.signature in self._signatures:
            return
        self._signatures.add(finding.signature)
        path = self._folder / f"{finding.target}-{hashlib.sha256(finding.data).hexdigest()[:8]}"
        path.write_bytes(finding.data)
        said = {"target": finding.target, "signature": finding.signature, "detail": finding.detail}
        path.with_suffix(".json").write_text(json.dumps(said))
        print(f"FINDING {path} {finding.signature}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> None:
    """Run one target."""
    parser = argparse.ArgumentParser(prog="fuzz.worker")
    parser.add_argument("name")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--inputs", type=Path, required=True, help="folder for inputs that reach new code")
    parser.add_argument("--plain", action="store_true", help="mutations without coverage, though atheris is there")
    given = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    findings = Findings(given.findings)
    if given.plain or not _guided(given, findings):
        _unguided(given, findings)


def _unguided(given: argparse.Namespace, findings: Findings) -> None:
    from fuzz.search import growth, mutations
    from fuzz.target import all_targets

    target = all_targets()[given.name]
    said = time.monotonic()

    def seen(number: int) -> None:
        nonlocal said
        if time.monotonic() - said > 2:
            said = time.monotonic()
            print(f"#{number} pulse", file=sys.stderr, flush=True)

    for finding in mutations(target, given.seed, given.seconds * 0.8, clock=time.monotonic, seen=seen):
        findings.add(finding)
    for finding in growth(target, given.seed, given.seconds * 0.2):
        findings.add(finding)


def _guided(given: argparse.Namespace, findings: Findings) -> bool:
    try:
        import atheris
    except ImportError:
        return False
    fuzzer: Any = atheris
    with fuzzer.instrument_imports(include=["eldonia_ops", "eldonia_telemetry"], enable_loader_override=False):
        from fuzz.target import all_targets

        target = all_targets()[given.name]
    from fuzz.mutations import Mutator
    from fuzz.search import growth, tried

    for finding in growth(target, given.seed, given.seconds * 0.2):
        findings.add(finding)
    seeds = [data for _, data in target.seeds()]

    def one(data: bytes) -> None:
        finding = tried(target, data, INSTRUMENTED_SECONDS)
        if finding is not None:
            findings.add(finding)

    def mutated(data: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.5:
            return fuzzer.Mutate(data, longest)
        return Mutator(chance, target.tokens, longest).mutate(data, seeds)

    options = [
        "fuzz",
        f"-max_total_time={max(1, int(given.seconds * 0.8))}",
        f"-max_len={target.max_bytes}",
        f"-seed={given.seed or 1}",
        f"-artifact_prefix={given.findings}/{given.name}-",
        "-timeout=60",
        "-rss_limit_mb=4096",
        "-print_final_stats=0",
        str(given.inputs),
        *([str(target.corpus)] if seeds else []),
    ]
    fuzzer.Setup(options, one, custom_mutator=mutated)
    fuzzer.Fuzz()
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
