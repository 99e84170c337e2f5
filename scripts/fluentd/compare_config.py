"""Compares our match patterns and our reader of ``fluent.conf`` with Fluentd's own. Not part of CI: it needs Ruby and a
checkout of Fluentd.

    python scripts/fluentd/compare_config.py FLUENTD_CHECKOUT [COUNT]

Patterns, tags and texts are made at random, from a fixed seed. Exit code 1 when something differs.
"""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.pipeline.section import UNREADABLE, Section
from eldonia_ops.pipeline.tag_pattern import TagPattern
from eldonia_ops.protocols.fluentd_config import Surroundings, read_fluent_conf

HERE = Path(__file__).resolve().parent
PIECES = ("a", "b", "ab", ".", "*", "**", "{", "}", ",", " ", "\\*", "-", "..")
VALUES = (
    "text", "'text'", '"text"', "'\\''", "'\\\\'", "'\\t'", '"\\t"', '"\\""', '"\\["', "\\[", "#t", "'#t'", "a#b",
    "a # c", '"a # b" # c', "/re(?<x>.)/", "[1, 2]", '["a", "b"]', '{"a": {"b": 1}}', '["a", # c\n"b"]',
    '"two\\\nlines"', '"two\nlines"', "", "  spaced  out  ", "\\\\", "'#{x}'", '"\\#{x}"', "10m", "a,b",
    "{a,b}.**", "'open", '"open', "[1, 2", "'x' y", '"\\q"',
)  # fmt: skip
NAMES = ("path", "tag", "@type", "@id", "time_format", "key1", "a-b", "a.b", "$.x")


def pattern(chance: random.Random) -> str:
    """Anything that looks like a pattern."""
    return "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 8))).strip()


def tag(chance: random.Random) -> str:
    """A tag of the same letters."""
    return ".".join(chance.choice(("a", "b", "ab", "-", "*", "")) for _ in range(chance.randint(1, 4)))


def text(chance: random.Random, depth: int = 0) -> str:
    """A configuration that may be wrong in one place or another."""
    lines: list[str] = []
    for _ in range(chance.randint(0, 4)):
        what = chance.random()
        if what < 0.25 and depth < 3:
            argument = chance.choice(("", " **", " a.** b", " {a,b}", ' "q"', " @LABEL"))
            lines.append(f"<s{argument}>{chance.choice(('', ' # c', ''))}")
            lines += text(chance, depth + 1).split("\n")
            lines.append(f"</s>{chance.choice(('', '  # c'))}")
        elif what < 0.35:
            lines.append(chance.choice(("# comment", "", "   ")))
        else:
            lines.append(f"{chance.choice(NAMES)} {chance.choice(VALUES)}")
    return "\n".join("  " * depth + line for line in lines)


def shape(section: Section) -> Any:
    """A section as the other side writes it."""
    parameters = {name: one.value for name, one in section.parameters.items()}
    return [section.name, section.argument, parameters, [shape(one) for one in section.sections]]


def ours_of_text(written: str) -> Any:
    """Our reading of a configuration; None when it is refused."""
    problems: list[Diagnostic] = []
    root = read_fluent_conf(written.encode(), "fluent.conf", Surroundings(), problems)
    if any(one.level is Level.ERROR for one in problems):
        return None
    assert all(one.value is not UNREADABLE for one in root.parameters.values())
    return shape(root)


def ours_of_pattern(written: str, tags: list[str]) -> list[bool] | None:
    """Which tags we match; None when the pattern is refused."""
    try:
        found = TagPattern(written)
    except ValueError:
        return None
    return [found.matches(one) for one in tags]


def say(line: str) -> None:
    """One line of what was found."""
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Run both and print where they differ."""
    checkout, count = sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 2_000
    chance = random.Random(1)
    patterns = [(one, [tag(chance) for _ in range(20)]) for _ in range(count) if (one := pattern(chance))]
    texts = [text(chance) for _ in range(count)]
    texts += [path.read_text("utf-8") for path in sorted(Path(checkout, "example").glob("*.conf"))]
    done = subprocess.run(  # noqa: S603
        ["ruby", str(HERE / "config.rb"), checkout],  # noqa: S607
        input=json.dumps({"patterns": patterns, "texts": texts}),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    theirs = json.loads(done.stdout)
    differ = dict.fromkeys(("patterns", "texts", "patterns refused by us alone", "texts refused by us alone"), 0)
    for (written, tags), found in zip(patterns, theirs["patterns"], strict=True):
        mine = ours_of_pattern(written, tags)
        if mine is None and found is not None:
            differ["patterns refused by us alone"] += 1
        elif mine != found:
            differ["patterns"] += 1
            wrong = [one for one, a, b in zip(tags, mine or [], found or [], strict=False) if a != b][:3]
            say(f"pattern {written!r}: differs for {wrong}")
    for written, found in zip(texts, theirs["texts"], strict=True):
        mine = ours_of_text(written)
        if mine is None and found is not None:
            differ["texts refused by us alone"] += 1
            if "--refused" in sys.argv:
                say(f"refused {written!r}")
        elif mine != found:
            differ["texts"] += 1
            say(f"text {written!r}:\n  ours   {mine}\n  theirs {found}")
    say(f"{len(patterns)} patterns with 20 tags each, {len(texts)} texts: {differ}")
    if differ["patterns"] or differ["texts"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
