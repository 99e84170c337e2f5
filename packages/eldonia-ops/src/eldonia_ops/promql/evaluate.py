"""Second phase: from a plan and its data to a result, without any effects.

Every expression is computed for all steps at once: a scalar is an array ``[N]``, an instant vector a
:class:`~eldonia_ops.promql.frame.Frame`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eldonia_ops.model.labels import EMPTY
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import SeriesBlock
from eldonia_ops.promql import aggregate, binary
from eldonia_ops.promql.annotations import Annotations
from eldonia_ops.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    ValueType,
    VectorSelector,
    value_type,
)
from eldonia_ops.promql.errors import EvaluationError
from eldonia_ops.promql.frame import Floats, Frame, Ints, drop_names, grid
from eldonia_ops.promql.functions import FUNCTION_TABLE, call_function
from eldonia_ops.promql.histogram_arithmetic import scaled
from eldonia_ops.promql.histogram_ranges import Notes
from eldonia_ops.promql.plan import Plan
from eldonia_ops.promql.printer import format_number
from eldonia_ops.promql.result import Result, ResultSeries, ResultType, shown
from eldonia_ops.promql.selection import Selection
from eldonia_ops.promql.signatures import SET_OPERATORS
from eldonia_ops.promql.windows import Proceed, without_check

__all__ = ["FUNCTION_TABLE", "evaluate"]


def evaluate(plan: Plan, data: Sequence[Sequence[SeriesBlock]], proceed: Proceed = without_check) -> Result:
    """Compute a planned query.

    ``data[i]`` holds the blocks that ``plan.fetches[i]`` asked for; samples outside its range do no harm.
    ``proceed`` is called many times on the way; what it raises breaks the computation off.

    Raises:
        EvaluationError: the data do not allow a result, such as many-to-many matching.
        LimitError: an intermediate vector would be larger than the limits allow.
        ValueError: ``data`` does not have one entry for each fetch.
    """
    if len(data) != len(plan.fetches):
        raise ValueError(f"expected data for {len(plan.fetches)} fetches, got {len(data)}")
    return Evaluation(plan, data, proceed).result()


class Evaluation:
    """One run of one plan."""

    def __init__(self, plan: Plan, data: Sequence[Sequence[SeriesBlock]], proceed: Proceed = without_check) -> None:
        self.plan = plan
        self.proceed = proceed
        self.annotations = Annotations()
        self.selection = Selection(plan, data, self)

    def result(self) -> Result:
        """Evaluate the whole expression and shape the result."""
        found = self._result()
        return replace(found, samples=self.selection.samples)

    def _result(self) -> Result:
        expr, plan = self.plan.expr, self.plan
        times = plan.start_ms + plan.step_ms * np.arange(plan.steps, dtype=np.int64)
        match value_type(expr):
            case ValueType.STRING:
                return Result(ResultType.STRING, text=shown(self.text(expr)))
            case ValueType.SCALAR:
                series = (ResultSeries(EMPTY, times, self.scalar(expr, times)),)
                return Result(ResultType.SCALAR if plan.instant else ResultType.MATRIX, series, "", self.remarks)
            case ValueType.MATRIX:
                return Result(ResultType.MATRIX, self._raw(expr, times), "", self.remarks)
            case _:
                frame = drop_names(self.vector(expr, times))
                series = tuple(_series(frame, times))
                if plan.instant:
                    return Result(ResultType.VECTOR, series, "", self.remarks)
                ordered = tuple(sorted(series, key=lambda item: item.labels.pairs))
                return Result(ResultType.MATRIX, ordered, "", self.remarks)

    @property
    def remarks(self) -> tuple:
        """The annotations so far."""
        return self.annotations.all()

    def _raw(self, expr: Expr, times: Ints) -> tuple[ResultSeries, ...]:
        while isinstance(expr, Paren):
            expr = expr.expr
        assert isinstance(expr, MatrixSelector | Subquery)
        found: list[ResultSeries] = []
        ranges = self.selection.raw(expr, times)
        names = ranges.renamed
        for one, windows in ranges.mixed:
            lo, hi = int(windows.lo[0]), int(windows.hi[0])
            if lo < hi:
                values = one.values(lo, hi)
                histograms = {place: value for place, value in enumerate(values) if isinstance(value, NativeHistogram)}
                labels = names.get(one.labels, one.labels)
                found.append(ResultSeries(labels, one.times[lo:hi], one.floats[lo:hi], histograms))
        for dense, windows in ranges.dense:
            lo, hi = int(windows.lo[0]), int(windows.hi[0])
            if lo < hi:
                for column, labels in enumerate(dense.labels):
                    values = dense.values[lo:hi, column]
                    found.append(ResultSeries(names.get(labels, labels), dense.timestamps[lo:hi], values))
        return tuple(sorted(found, key=lambda item: item.labels.pairs))

    # --- values ---

    def text(self, expr: Expr) -> str:
        """The value of a string expression."""
        while isinstance(expr, Paren):
            expr = expr.expr
        assert isinstance(expr, StringLiteral)
        return expr.value

    def scalar(self, expr: Expr, times: Ints) -> Floats:
        """The value of a scalar expression at every step: ``[N]``."""
        match expr:
            case NumberLiteral():
                return np.full(len(times), expr.value)
            case Paren():
                return self.scalar(expr.expr, times)
            case Unary():
                value = self.scalar(expr.expr, times)
                return -value if expr.op == "-" else value
            case Binary():
                return binary.scalars(expr.op, self.scalar(expr.left, times), self.scalar(expr.right, times))
            case Call():
                value = call_function(self, expr, times)
                assert isinstance(value, np.ndarray)
                return value
            case _:
                raise EvaluationError("expected a scalar", expr.start)

    def vector(self, expr: Expr, times: Ints) -> Frame:
        """The value of an instant vector expression at every step."""
        self.proceed()
        match expr:
            case VectorSelector():
                return self.selection.instant(expr, times)
            case Paren():
                return self.vector(expr.expr, times)
            case Unary():
                frame = self.vector(expr.expr, times)
                if expr.op != "-":
                    return frame
                result = frame.with_values(-frame.values)
                if frame.histograms is not None:
                    result.histograms = np.full(frame.mask.shape, None, object)
                    for step, column, one in frame.cells():
                        result.histograms[step, column] = scaled(one, -1.0)
                return result
            case Binary():
                return self._binary(expr, times)
            case Aggregate():
                return self._aggregate(expr, times)
            case Call():
                value = call_function(self, expr, times)
                assert isinstance(value, Frame)
                return value
            case _:
                raise EvaluationError("expected an instant vector", expr.start)

    def _binary(self, node: Binary, times: Ints) -> Frame:
        left_scalar = value_type(node.left) is ValueType.SCALAR
        if left_scalar or value_type(node.right) is ValueType.SCALAR:
            vector, scalar = (node.right, node.left) if left_scalar else (node.left, node.right)
            frame = self.vector(vector, times)
            notes = Notes(self.annotations, node.start)
            return binary.vector_scalar(node, frame, self.scalar(scalar, times), notes, scalar_left=left_scalar)
        left, right = self.vector(node.left, times), self.vector(node.right, times)
        try:
            if node.op in SET_OPERATORS:
                assert node.matching is not None
                return binary.sets(node.op, node.matching, left, right)
            return binary.vectors(node, left, right, Notes(self.annotations, node.start), self.plan.limits.cells)
        except EvaluationError as error:
            raise EvaluationError(error.message, node.start) from None

    def _aggregate(self, node: Aggregate, times: Ints) -> Frame:
        frame = self.vector(node.expr, times)
        if frame.histograms is not None and node.op in aggregate.FLOATS_ALONE:
            if frame.held().any():
                self.annotations.inform(f"ignored histogram in {node.op} aggregation", node.expr.start)
            frame = frame.floats()
        try:
            if frame.histograms is not None and node.op in ("sum", "avg"):
                notes = Notes(self.annotations, node.expr.start)
                return aggregate.fold_mixed(node.op, frame, node.grouping, node.without, notes)
            if node.op == "count_values":
                assert node.param is not None
                limit = self.plan.limits.cells
                label = self.text(node.param)
                return aggregate.count_values(frame, label, node.grouping, node.without, limit)
            if node.param is None:
                return aggregate.fold(node.op, frame, node.grouping, node.without)
            param = self.scalar(node.param, times)
            if node.op == "quantile":
                self.check_quantile(param, node.param)
                return aggregate.fold(node.op, frame, node.grouping, node.without, param)
            if node.op == "limit_ratio":
                self._check_ratio(param, node.param)
                return aggregate.limit_ratio(frame, param)
            return aggregate.select(node.op, frame, node.grouping, node.without, param)
        except EvaluationError as error:
            raise EvaluationError(error.message, node.start) from None

    # --- remarks ---

    def check_quantile(self, phi: Floats, node: Expr) -> None:
        """Warn of quantiles outside 0..1."""
        for value in phi[np.isnan(phi) | (phi < 0) | (phi > 1)][:1]:
            message = f"quantile value should be between 0 and 1, got {format_number(float(value))}"
            self.annotations.warn(message, node.start)

    def _check_ratio(self, ratio: Floats, node: Expr) -> None:
        for value in ratio[np.abs(ratio) > 1][:1]:
            capped = "1" if value > 0 else "-1"
            message = f"ratio value should be between -1 and 1, got {format_number(float(value))}, capping to {capped}"
            self.annotations.warn(message, node.start)


def _series(frame: Frame, times: Ints) -> list[ResultSeries]:
    found: list[ResultSeries] = []
    if frame.histograms is not None:
        return _mixed_series(frame, times)
    for column, labels in enumerate(frame.labels):
        mask = frame.mask[:, column]
        if mask.all():
            found.append(ResultSeries(labels, times, frame.values[:, column]))
        elif mask.any():
            found.append(ResultSeries(labels, times[mask], frame.values[mask, column]))
    return found


def _mixed_series(frame: Frame, times: Ints) -> list[ResultSeries]:
    found: list[ResultSeries] = []
    held, cells = frame.held(), grid(frame)
    for column, labels in enumerate(frame.labels):
        steps = np.flatnonzero(frame.mask[:, column])
        if len(steps):
            histograms = {place: cells[step, column] for place, step in enumerate(steps.tolist()) if held[step, column]}
            found.append(ResultSeries(labels, times[steps], frame.values[steps, column], histograms))
    return found
