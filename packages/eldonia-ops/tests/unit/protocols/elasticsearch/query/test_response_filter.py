"""``filter_path``, whatever is asked for."""

import time
from typing import Any

import pytest

from eldonia_ops.protocols.elasticsearch.query.response_filter import filtered_answer

ANSWER = {"took": 1, "hits": {"total": 2, "hits": [{"_id": "a", "_source": {"n": 1, "m": 2}}, {"_id": "b"}]}}


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        ("took", {"took": 1}),
        ("hits.hits._id", {"hits": {"hits": [{"_id": "a"}, {"_id": "b"}]}}),
        ("**.n", {"hits": {"hits": [{"_source": {"n": 1}}]}}),
        ("*.t*,took", {"took": 1, "hits": {"total": 2}}),
        ("-hits", {"took": 1}),
        ("hits,-**._source", {"hits": {"total": 2, "hits": [{"_id": "a"}, {"_id": "b"}]}}),
        ("none", {}),
    ],
)
def test_parts_of_an_answer(patterns: str, kept: Any) -> None:
    assert filtered_answer(ANSWER, patterns) == kept


def test_many_stars_and_a_deep_document_take_no_time() -> None:
    # 200 characters kept the whole platform busy for 38 s.
    deep: Any = {"leaf": 1}
    for _ in range(30):
        deep = {"a": deep}
    begun = time.process_time()
    for patterns in (".".join(["**"] * 66), ".".join(["*", "**"] * 33), ",".join(["**.**.**.a"] * 18)):
        filtered_answer(deep, patterns)
        filtered_answer(deep, f"-{patterns}")
    assert time.process_time() - begun < 2
