"""The documents of both: lines of a generator, with lists, objects and nested objects besides."""

import json
from pathlib import Path
from typing import Any, Final

Document = dict[str, Any]
TAGS: Final = ("blue", "green", "slow path", "retry", "canary")
CITIES: Final = ("Osaka", "Berlin", "São Paulo", "東京")
SKUS: Final = ("A-1", "A-2", "B-1", "C-9")

MAPPINGS: Final[Document] = {
    "properties": {
        # Numbers with a fraction would have 32 bits.
        "latency_ms": {"type": "double"},
        "items": {"type": "nested", "properties": {"sku": {"type": "keyword"}, "count": {"type": "long"}}},
    }
}


def documents(path: Path, count: int) -> list[Document]:
    """The first lines of a file, with the time under Elasticsearch's name for it, in milliseconds as it keeps them."""
    found: list[Document] = []
    with path.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines):
            if number >= count:
                break
            line = json.loads(text)
            line = {"@timestamp": f"{line.pop('ts')[:23]}Z", **line}
            if number % 7 == 0:
                del line["status"]
            found.append(line | _more(number))
    return found


def _more(number: int) -> Document:
    """Values that lines of a log have seldom."""
    found: Document = {"ok": number % 4 != 0, "client": {"ip": f"10.0.{number % 8}.{number % 250}"}}
    if number % 5:
        found["tags"] = [TAGS[(number + step) % len(TAGS)] for step in range(number % 3 + 1)]
    if number % 2:
        found["client"]["city"] = CITIES[number % len(CITIES)]
    if number % 3 == 0:
        # No list: ours does not look into objects in lists.
        found["items"] = {"sku": SKUS[number % len(SKUS)], "count": number % 17}
    return found
