"""What readers of several aggregations with buckets have in common: what is around them, field, order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    Aggregation,
    Pipeline,
    TermsOrder,
)
from eldonia_ops.protocols.elasticsearch.query.clauses import Clause
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal
from eldonia_ops.protocols.elasticsearch.query.shapes import listed, object_of
from eldonia_ops.search.tree import Node


@dataclass(frozen=True, slots=True)
class Shared:
    """What a reader needs beside its own options."""

    name: str
    meta: Any
    children: tuple[Aggregation, ...]
    pipelines: tuple[Pipeline, ...]
    read: Callable[[Any], Clause]
    everything: Node
    now_ns: int
    outermost: bool

    @property
    def plain(self) -> dict[str, Any]:
        """The parts that every aggregation keeps."""
        return {"children": self.children, "pipelines": self.pipelines, "meta": self.meta}


def field_of(options: dict[str, Any], kind: str) -> str:
    """The field that an aggregation is of."""
    name = options.get("field")
    if "script" in options:
        raise illegal(f"[{kind}] with a [script] is not supported: name a [field]")
    if not isinstance(name, str) or not name:
        raise illegal("Required one of fields [field, script], but none were specified. ")
    return name


def order_of(value: Any, shared: Shared, default: tuple[TermsOrder, ...]) -> tuple[TermsOrder, ...]:
    """The order of buckets that a request asks for."""
    if not value:
        return default
    found: list[TermsOrder] = []
    for one in listed(value):
        for path, direction in object_of(one, "order").items():
            if str(direction).lower() not in ("asc", "desc"):
                raise illegal(f"Unknown order direction [{direction}]")
            descending = str(direction).lower() == "desc"
            if path in ("_count", "_key", "_term", "_time"):
                found.append(TermsOrder("count" if path == "_count" else "key", descending=descending))
                continue
            metric, _, part = path.partition("[") if path.endswith("]") else path.partition(".")
            metric = metric.removesuffix("._count")
            names = [child.name for child in shared.children]
            if metric not in names and path in names:
                metric, part = path, ""
            if metric not in names:
                raise DslError(
                    "aggregation_execution_exception",
                    f"Invalid aggregator order path [{path}]. The provided aggregation [{metric}] either does not "
                    "exist, or is a pipeline aggregation and cannot be used to sort the buckets.",
                    of_phase=True,
                )
            found.append(TermsOrder("metric", metric, part.rstrip("]"), descending))
    if not any(one.by == "key" for one in found):
        found.append(TermsOrder("key", descending=False))
    return tuple(found)


def few(count: int) -> None:
    """Refuse more ranges or filters than one aggregation may have."""
    if count > 500:
        raise DslError("too_many_buckets_exception", f"more than 500 ranges or filters: {count}", of_phase=True)
