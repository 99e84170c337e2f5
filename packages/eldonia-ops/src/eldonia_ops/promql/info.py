"""``info()``: enrich series with the labels of info metrics such as ``target_info``.

Series find their info series by ``instance`` and ``job``, as in Prometheus' promql/info.go.
"""

from collections.abc import Sequence

import numpy as np

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.samples import SeriesBlock, is_stale
from eldonia_ops.promql.ast import Call
from eldonia_ops.promql.errors import EvaluationError
from eldonia_ops.promql.frame import Frame, Ints, concatenate, unite
from eldonia_ops.promql.plan import info_matchers
from eldonia_ops.promql.windows import dense_blocks

IDENTIFYING = ("instance", "job")


def enrich(call: Call, base: Frame, blocks: Sequence[SeriesBlock], times: Ints, lookback_ms: int) -> Frame:
    """Add info labels to every series of ``base``.

    Raises:
        EvaluationError: two info series give one label different values at the same step.
    """
    names, data = info_matchers(call)
    wanted = {matcher.name for matcher in data}
    optional = all(matcher.matches_value("") for matcher in data)
    found = _info_series(blocks, times, lookback_ms)
    parts: list[Frame] = []
    for column, labels in enumerate(base.labels):
        single = base.take([column])
        if _is_info(labels, names):
            parts.append(single)
        else:
            parts.extend(_variants(single, found.get(_identity(labels), {}), wanted, optional))
    return unite(concatenate([part.present() for part in parts], base.steps))


def _identity(labels: Labels) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in IDENTIFYING)


def _is_info(labels: Labels, names: Sequence[Matcher]) -> bool:
    return all(matcher.matches(labels) for matcher in names)


def _info_series(
    blocks: Sequence[SeriesBlock], times: Ints, lookback_ms: int
) -> dict[tuple[str, ...], dict[Labels, np.ndarray]]:
    """For each identity, its info series and when (Unix ms, -1 for not at all) each was last seen at every step."""
    found: dict[tuple[str, ...], dict[Labels, np.ndarray]] = {}
    for block in blocks:
        for _, column in block.histograms:
            labels = block.labels[column]
            raise EvaluationError(f"this should be an info metric, with float samples: {labels}")
    for dense in dense_blocks(blocks, int(times.min()) - lookback_ms, int(times.max()), keep_stale=True):
        rows = np.searchsorted(dense.timestamps, times, side="right") - 1
        recent = (rows >= 0) & (dense.timestamps[rows] > times - lookback_ms)
        values = dense.values.take(np.maximum(rows, 0), axis=0)
        for column, labels in enumerate(dense.labels):
            present = recent & ~is_stale(values[:, column])
            seen = np.where(present, dense.timestamps[np.maximum(rows, 0)], -1)
            found.setdefault(_identity(labels), {})[labels] = seen
    return found


def _variants(single: Frame, infos: dict[Labels, np.ndarray], wanted: set[str], optional: bool) -> list[Frame]:
    """A series under each set of info labels that it has at some step."""
    own = single.labels[0]
    chosen: dict[Labels, np.ndarray] = {}
    per_step: list[dict[str, str]] = []
    matched = np.zeros(single.steps, bool)
    for step in range(single.steps):
        added: dict[str, str] = {}
        latest: dict[tuple[str, tuple], tuple[int, Labels]] = {}
        for labels, seen in infos.items():
            if seen[step] < 0:
                continue
            # Of versions of one info metric the most recent counts.
            key = (labels.get(METRIC_NAME, ""), _identity(labels))
            if key not in latest or seen[step] > latest[key][0]:
                latest[key] = (int(seen[step]), labels)
            elif seen[step] == latest[key][0] and single.mask[step, 0]:
                raise EvaluationError(
                    f"found duplicate series for info metric: existing {latest[key][1]}, new {labels}"
                )
        for _, labels in latest.values():
            matched[step] = True
            for name, value in labels.items():
                if name == METRIC_NAME or name in IDENTIFYING or (wanted and name not in wanted) or name in own:
                    continue
                if added.get(name, value) != value and single.mask[step, 0]:
                    raise EvaluationError(f"conflicting label: {name}")
                added[name] = value
        per_step.append(added)
    for step, added in enumerate(per_step):
        if not matched[step] and not optional:
            continue
        labels = own.merged(added)
        mask = chosen.setdefault(labels, np.zeros(single.steps, bool))
        mask[step] = True
    return [
        Frame([labels], single.values, single.mask & mask[:, None], single.nameless, single.histograms)
        for labels, mask in chosen.items()
    ]
