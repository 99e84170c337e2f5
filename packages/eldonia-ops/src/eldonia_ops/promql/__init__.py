"""The query language: text to tree, tree to a plan of what to fetch, plan and data to a result.

    expr = parse('sum by (job) (rate(http_requests_total[5m]))')
    query = plan(expr, start_ms, end_ms, step_ms)
    data = [await store.select(fetch.matchers, fetch.start_ms, fetch.end_ms) for fetch in query.fetches]
    result = evaluate(query, data)

The language and its semantics are Prometheus 3's
(https://prometheus.io/docs/prometheus/latest/querying/basics/) for float samples; native histograms
are refused with a clear error.
"""

from eldonia_ops.promql.ast import Expr, ValueType, value_type
from eldonia_ops.promql.errors import EvaluationError, LimitError, ParseError, PromQLError
from eldonia_ops.promql.evaluate import evaluate
from eldonia_ops.promql.parser import parse, parse_selector
from eldonia_ops.promql.plan import DEFAULT_LIMITS, DEFAULT_LOOKBACK_MS, Fetch, Plan, QueryLimits, plan
from eldonia_ops.promql.printer import format_expr
from eldonia_ops.promql.result import Result
from eldonia_ops.promql.scale import scale_durations

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_LOOKBACK_MS",
    "EvaluationError",
    "Expr",
    "Fetch",
    "LimitError",
    "ParseError",
    "Plan",
    "PromQLError",
    "QueryLimits",
    "Result",
    "ValueType",
    "evaluate",
    "format_expr",
    "parse",
    "parse_selector",
    "plan",
    "scale_durations",
    "value_type",
]
