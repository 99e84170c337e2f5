"""``python -m benchmarks [NAME...] [--quick] [--write] [--list]``."""

import argparse
import importlib
import sys
import time
from pathlib import Path

from benchmarks.harness import Table
from benchmarks.report import as_markdown, as_text

NAMES = (
    "scrape",
    "log_lines",
    "otlp",
    "promql",
    "log_patterns",
    "log_store",
    "log_queries",
    "log_tail",
    "elastic_bulk",
    "forward",
    "log_soak",
    "state",
    "alerts",
    "storm",
    "reload",
    "dashboard_page",
    "page_weights",
    "memory",
    "logger_memory",
    "logger_processes",
    # The SDK instruments what is installed, httpx too: nothing else is measured in this process after it.
    "logger",
    "middleware",
)
PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def main() -> int:
    """Run what was asked for and print it; exit code 0, or 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones (default all): {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="tiny amounts: shows that everything runs, not how fast")
    parser.add_argument("--write", action="store_true", help="write the tables to docs/benchmarks.md")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    given = parser.parse_args()
    if given.list:
        print("\n".join(NAMES))
        return 0
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    if given.write and (given.names or given.quick):
        parser.error("--write takes a whole run: the page must not mix figures of different moments")

    # Imported late: wrong usage is reported without waiting for numpy and chDB.
    from benchmarks.machine import machine_line, versions_line

    machine, versions = machine_line(), versions_line()
    print(f"{machine}\n{versions}\n", flush=True)
    tables: list[Table] = []
    began = time.monotonic()
    for name in given.names or NAMES:
        for table in importlib.import_module(f"benchmarks.{name}").run(given.quick):
            tables.append(table)
            print(as_text(table), end="\n\n", flush=True)
    print(f"took {time.monotonic() - began:.0f} s")
    if given.write:
        page = as_markdown(tables, command="python -m benchmarks --write", machine=machine, versions=versions)
        PAGE.write_text(page, encoding="utf-8")
        print(f"written: {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
