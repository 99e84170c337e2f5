"""Asks both and prints what differs."""

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.opensearch.questions import Questions
from eldonia_ops.protocols.elasticsearch.documents import record_of_document
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.fields import index_pattern
from eldonia_ops.services.elasticsearch.queries import ElasticsearchQueries
from eldonia_ops.storage.clickhouse import open_on_engine
from eldonia_ops.storage.clickhouse.engines.chdb import ChdbEngine

INDEX = "compare"
_MISSING = (2**63 - 1, -(2**63))
"""What a number that is missing is sorted by there; ours is null."""

_LOOSE = {"took", "_shards", "max_score", "_score", "timed_out", "doc_count_error_upper_bound", "meta"}


def main() -> int:
    """The exit status: 1 when an answer differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--lines", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10)
    return asyncio.run(compare(parser.parse_args()))


async def compare(given: argparse.Namespace) -> int:
    """Fill both, ask both."""
    lines = documents(given.lines, given.documents)
    fill_peer(given.peer, lines)
    with tempfile.TemporaryDirectory() as folder:
        engine = ChdbEngine(Path(folder) / "telemetry")
        await engine.open()
        store = await open_on_engine(engine, wal=Path(folder) / "wal")
        now = time.time_ns()
        records = [
            record_of_document(dict(line), index=INDEX, number=place, received_ns=now, id=str(place))
            for place, line in enumerate(lines)
        ]
        for start in range(0, len(records), 5_000):
            await store.insert_logs(records[start : start + 5_000])

        async def indices(expression: str, _parameters: Any) -> Any:
            return expression, index_pattern(expression)

        ours = ElasticsearchQueries(store, time.time_ns, indices)
        questions = Questions(lines, given.seed)
        same, seconds = Counter[str](), [0.0, 0.0]
        for number in range(given.questions):
            question = questions.composite() if number % 10 == 9 else questions.one()
            body = json.dumps(question).encode()
            began = time.perf_counter()
            peer = ask(f"{given.peer}/{INDEX}/_search", body)
            seconds[0] += time.perf_counter() - began
            began = time.perf_counter()
            try:
                answer: Any = await ours.search(INDEX, {}, body)
            except DslError as error:
                answer = {"error": error.body()}
            seconds[1] += time.perf_counter() - began
            differences = list(differing(peer, answer, ""))
            same["differs" if differences else "same"] += 1
            if differences and same["differs"] <= given.show:
                print(json.dumps(question, ensure_ascii=False), *differences[:4], sep="\n    ")
        print(f"{dict(same)}; the peer took {seconds[0]:.1f} s, ours {seconds[1]:.1f} s")
        await store.close()
    return 1 if same["differs"] else 0


def documents(path: Path, count: int) -> list[dict[str, Any]]:
    """The first lines of a file, with the time under Elasticsearch's name for it, in milliseconds as it keeps them."""
    found: list[dict[str, Any]] = []
    with path.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines):
            if number >= count:
                break
            line = json.loads(text)
            line = {"@timestamp": f"{line.pop('ts')[:23]}Z", **line}
            if number % 7 == 0:
                del line["status"]
            found.append(line)
    return found


def fill_peer(url: str, lines: list[dict[str, Any]]) -> None:
    """A fresh index with the documents, mapped as they come."""
    ask(f"{url}/{INDEX}", b"", "DELETE")
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    # Numbers with a fraction would have 32 bits.
    mappings = {"properties": {"latency_ms": {"type": "double"}}}
    ask(f"{url}/{INDEX}", json.dumps({"settings": settings, "mappings": mappings}).encode(), "PUT")
    for start in range(0, len(lines), 5_000):
        parts: list[str] = []
        for place, line in enumerate(lines[start : start + 5_000], start):
            parts += (json.dumps({"index": {"_id": str(place)}}), json.dumps(line, ensure_ascii=False))
        answer = ask(f"{url}/{INDEX}/_bulk", ("\n".join(parts) + "\n").encode())
        if answer.get("errors", True):
            sys.exit(f"the peer refused documents: {str(answer)[:300]}")
    ask(f"{url}/{INDEX}/_refresh", b"")


def ask(url: str, body: bytes, method: str = "POST") -> Any:
    """The JSON that a server answers."""
    headers = {"Content-Type": "application/x-ndjson" if url.endswith("_bulk") else "application/json"}
    request = urllib.request.Request(url, body or None, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def differing(a: Any, b: Any, place: str) -> Any:
    """What differs between the peer's answer and ours."""
    if isinstance(a, dict) and isinstance(b, dict):
        if "error" in a and "error" in b:
            return
        for key in sorted({*a, *b}, key=str):
            if key in _LOOSE:
                continue
            if key not in a or key not in b:
                what = "only ours" if key in b else "only the peer"
                yield f"{place}.{key}: {what}: {str(b.get(key, a.get(key)))[:200]}"
            else:
                yield from differing(a[key], b[key], f"{place}.{key}")
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            yield f"{place}: {len(a)} items, ours {len(b)}: {str(a)[:200]} | {str(b)[:200]}"
        else:
            for number, (one, other) in enumerate(zip(a, b, strict=True)):
                yield from differing(one, other, f"{place}[{number}]")
    elif isinstance(a, int | float) and isinstance(b, int | float) and not isinstance(a, bool):
        # Percentiles are estimates there, far off for a handful of records.
        near = (
            abs(a - b) <= max(20.0, 0.5 * abs(a))
            if "values" in place
            else math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
        )
        if not near:
            yield f"{place}: {a}, ours {b}"
    elif a != b and not (a in _MISSING and b is None):
        yield f"{place}: {str(a)[:200]}, ours {str(b)[:200]}"


if __name__ == "__main__":
    sys.exit(main())
