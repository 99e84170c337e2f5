"""Compares our parsers with Fluentd's own, field by field. Not part of CI: it needs Ruby and a checkout of Fluentd.

    python scripts/fluentd/compare.py FLUENTD_CHECKOUT

Of differences that are meant, ``EXPECTED`` has the reason. Exit code 1 when there are others.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cases import all_cases

from eldonia_ops.pipeline.parsers import ParseError, parser_of
from eldonia_ops.pipeline.section import Parameter, Section, SectionReader

NO_SUCH_DAY = "Ruby makes 2 March of 30 February: a time that is wrong is better no time"
OLD = "times before 1970 are refused, as everywhere here"
EPOCH = "Fluentd moves seconds since 1970 by the zone, which have none"
ZONE = "Fluentd reads ISO 8601 without a zone in that of the machine, whatever timezone says"
EXPECTED = (
    ("", "30 12:00:00 host app: no such day", NO_SUCH_DAY),
    ("", "2026-02-30T", NO_SUCH_DAY),
    ("%s", "-1", OLD),
    ("%y", "690101 10:00", OLD),
    ("%s", "1362020400", EPOCH),
    ("%iso8601", "2013-02-28T12:00:00", ZONE),
)
"""``(what is in time_format, what is in the text, why we differ)``."""

HERE = Path(__file__).resolve().parent


def ours(case: dict[str, Any], now_ns: int) -> Any:
    """What our parser makes of each text of a case."""
    problems: list[Any] = []
    parameters = {name: Parameter(name, value) for name, value in {"@type": case["type"], **case["config"]}.items()}
    parser = parser_of(SectionReader(Section("parse", "", parameters), problems))
    if parser is None:
        return {"error": "; ".join(str(problem) for problem in problems)}
    found: list[Any] = []
    for line in case["lines"]:
        try:
            parsed = parser.parse(line, now_ns)
        except ParseError as error:
            found.append({"error": error.reason})
            continue
        found.append(
            [[*(divmod(time, 10**9) if time is not None else (None, None)), record] for time, record in parsed]
        )
    return found


def main() -> None:
    """Run both and print where they differ."""
    import time

    cases = all_cases()
    done = subprocess.run(  # noqa: S603
        ["ruby", str(HERE / "parse.rb"), sys.argv[1]],  # noqa: S607
        input=json.dumps(cases), text=True, capture_output=True, check=False, env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr[:2_000])
    theirs = json.loads(done.stdout)
    same = different = more = meant = 0
    for case, expected in zip(cases, theirs, strict=True):
        found = json.loads(json.dumps(ours(case, time.time_ns())))
        if isinstance(expected, dict) or isinstance(found, dict):
            if isinstance(expected, dict) and isinstance(found, dict):
                same += 1
            else:
                different += 1
                sys.stdout.write(f"{case['type']} {case['config']}\n  Fluentd: {expected}\n  ours:    {found}\n")
            continue
        for line, one, other in zip(case["lines"], expected, found, strict=True):
            both_fail = isinstance(one, dict) and isinstance(other, dict)
            if both_fail or one == other:
                same += 1
                continue
            if isinstance(one, dict):
                more += 1
                continue
            format = case["config"].get("time_format", "")
            if any(word in format and text in line for word, text, _ in EXPECTED):
                meant += 1
                continue
            different += 1
            sys.stdout.write(
                f"{case['type']} {case['config']}\n  text:    {line!r}\n  Fluentd: {one}\n  ours:    {other}\n"
            )
    counted = f"{same} the same, {more} that only ours reads, {meant} that are meant to differ, {different} different\n"
    sys.stdout.write(counted)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
