"""Asks both and prints what differs."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.opensearch.differences import differing
from benchmarks.opensearch.documents import documents
from benchmarks.opensearch.operations import Operation, Operations, search
from benchmarks.opensearch.questions import Questions
from benchmarks.opensearch.sides import Side, ours


def main() -> int:
    """The exit status: 1 when an answer differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--lines", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("--kind", default="", help="only questions of this kind are asked")
    given = parser.parse_args()
    lines = documents(given.lines, given.documents)
    peer = Side(given.peer)
    peer.fill(lines)
    with ours() as own:
        own.fill(lines)
        return compare(peer, own, lines, given)


def compare(peer: Side, own: Side, lines: list[dict[str, object]], given: argparse.Namespace) -> int:
    """Ask both, one question after another."""
    questions, operations = Questions(lines, given.seed), Operations(lines, given.seed)
    asked, differs = Counter[str](), Counter[str]()
    seconds = [0.0, 0.0]
    for number in range(given.questions):
        question = _question(number, questions, operations)
        if given.kind not in question.kind:
            continue
        answers = []
        for place, side in enumerate((peer, own)):
            began = time.perf_counter()
            answers.append(question.run(side))
            seconds[place] += time.perf_counter() - began
        asked[question.kind] += 1
        if found := list(differing(*answers)):
            differs[question.kind] += 1
            if differs.total() <= given.show:
                print(f"{question.kind}: {question.shown}", *found[:4], sep="\n    ")
    for kind, count in sorted(asked.items()):
        print(f"{kind}: {count - differs[kind]} of {count} alike")
    alike = asked.total() - differs.total()
    print(f"{alike} of {asked.total()} alike; the peer took {seconds[0]:.1f} s, ours {seconds[1]:.1f} s")
    return 1 if differs else 0


def _question(number: int, questions: Questions, operations: Operations) -> Operation:
    """Of ten questions five are searches, one is a composite aggregation, and four are of other operations."""
    match number % 10:
        case 9:
            return search(questions.composite(), "composite")
        case place if place >= 5:
            return operations.one(number // 10 * 4 + place - 5)
        case _:
            question = questions.one()
            return search(question, "aggregations" if "aggs" in question else "hits")


if __name__ == "__main__":
    sys.exit(main())
