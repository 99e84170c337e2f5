"""Refuses a metric of the platform that is not declared, or has no HELP: part of `make check`."""

import ast
import re
import sys
from pathlib import Path

from eldonia_ops.services.metric_declarations import BY_NAME, METRICS, Type
from eldonia_ops.services.own_metrics import OwnMetrics

SOURCE = Path(__file__).resolve().parent.parent / "packages/eldonia-ops/src/eldonia_ops"
NAME = re.compile(
    r"(?:eldonia_ops|eldonia_pipeline|process)_[a-z_]+(?:_total|_seconds|_bytes|_failing|_successful|_info)\b"
)


def undeclared(source: Path) -> list[str]:
    """Names of metrics in string literals that have no declaration, with their places."""
    found: list[str] = []
    for path in sorted(source.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += [
                    f"{path.relative_to(source)}:{node.lineno}: {name} is not declared in metric_declarations.py"
                    for name in NAME.findall(node.value)
                    if name not in BY_NAME
                ]
    return found


def unexplained() -> list[str]:
    """Families of an exposition without HELP or TYPE, and declarations whose HELP is no sentence."""
    found = [f"{one.name}: HELP must be a sentence" for one in METRICS if not re.fullmatch(r"[A-Z].+\.", one.help)]
    others = {
        one.name + ("{" + ",".join(f'{label}="x"' for label in one.labels) + "}" if one.labels else ""): 1.0
        for one in METRICS
        if not one.counted_here and one.type is not Type.HISTOGRAM
    }
    text = OwnMetrics().exposition("", others)[1].decode()
    for one in METRICS:
        found += [
            f"{one.name}: the exposition has no {word}"
            for word in ("HELP", "TYPE")
            if f"# {word} {one.name} " not in text
        ]
    return found


def main() -> None:
    """Print what is wrong; exit code 1 if anything is."""
    faults = [*undeclared(SOURCE), *unexplained()]
    for fault in faults:
        sys.stderr.write(f"metrics: {fault}\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
