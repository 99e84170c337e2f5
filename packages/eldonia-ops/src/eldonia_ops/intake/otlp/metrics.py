"""OTLP metrics to Prometheus samples.

Gauges, cumulative sums, cumulative histograms and summaries are taken; delta temporality is refused with the reason.
Exponential histograms become native ones.
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    AGGREGATION_TEMPORALITY_DELTA,
    AggregationTemporality,
)

from eldonia_ops.intake.otlp.attributes import as_text, attributes
from eldonia_ops.intake.otlp.exponential import exponential_to_native
from eldonia_ops.intake.otlp.json_messages import MetricsRequest
from eldonia_ops.intake.otlp.messages import (
    Encoding,
    Rejections,
    TooManyError,
    check_size,
    decode_request,
    enum_number,
)
from eldonia_ops.intake.otlp.metric_names import label_name, metric_name, unit_words
from eldonia_ops.model.foreign import clean_text
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.samples import STALE_NAN, AnySample, HistogramSample, MetricMetadata, MetricType, Sample
from eldonia_ops.model.timestamps import LATEST_NS

_TYPES = {
    "histogram": MetricType.HISTOGRAM,
    "exponential_histogram": MetricType.HISTOGRAM,
    "summary": MetricType.SUMMARY,
}
_NO_VALUE = 1  # DataPointFlags.NO_RECORDED_VALUE_MASK
_MAX_BUCKETS = 1_000
_MAX_VALUE = 8_192
_MAX_IDENTITY = 1_024
_MAX_NAME = 512
_MAX_UNIT = 64
_MAX_LABEL_NAME = 256
_MAX_LABELS = 64 * 1024
_MAX_SAMPLES = 200_000


def decode_metrics(
    body: bytes, encoding: Encoding, received_ns: int
) -> tuple[list[AnySample], list[MetricMetadata], Rejections]:
    """Samples and metadata of one export request; ``received_ns`` is used where a point names no time.

    ``service.name`` (with its namespace) becomes ``job``, ``service.instance.id`` ``instance``; the other
    resource attributes are the labels of one ``target_info`` a resource.

    Raises:
        OtlpError: the body cannot be decoded, or holds too much.
    """
    request = decode_request(ExportMetricsServiceRequest, MetricsRequest, body, encoding)
    samples: list[AnySample] = []
    metadata: dict[str, MetricMetadata] = {}
    rejections = Rejections()
    check_size(request.resource_metrics, "scope_metrics", "metrics")
    for group in request.resource_metrics:
        resource = attributes(group.resource.attributes)
        target = _target(resource)
        before = len(samples)
        for scoped in group.scope_metrics:
            for metric in scoped.metrics:
                points = _Points(metric, target, received_ns, rejections)
                # One more than is allowed is enough to know.
                samples.extend(itertools.islice(points, _MAX_SAMPLES - len(samples) + 1))
                if len(samples) > _MAX_SAMPLES:
                    raise TooManyError(f"more than {_MAX_SAMPLES:,} samples in one request; send smaller batches")
                if points.metadata is not None:
                    metadata[points.metadata.name] = points.metadata
        if target and resource and len(samples) > before:
            latest = max(sample.timestamp_ms for sample in samples[before:])
            named = _label_set(resource)
            if sum(map(len, named.values())) > _MAX_LABELS:
                rejections.add(f"the labels are longer than {_MAX_LABELS:,} characters", subject="target_info")
            else:
                samples.append(Sample(Labels({**named, **target, METRIC_NAME: "target_info"}), latest, 1.0))
    return samples, list(metadata.values()), rejections


def _target(resource: dict[str, Any]) -> dict[str, str]:
    """Take ``job`` and ``instance`` out of the resource attributes."""
    name = as_text(resource.pop("service.name", ""))
    namespace = as_text(resource.pop("service.namespace", ""))
    instance = as_text(resource.pop("service.instance.id", ""))
    job = f"{namespace}/{name}" if namespace and name else name
    return {
        label: value
        for label, value in (
            ("job", clean_text(job[:_MAX_IDENTITY])),
            ("instance", clean_text(instance[:_MAX_IDENTITY])),
        )
        if value
    }


def _label_set(found: dict[str, Any]) -> dict[str, str]:
    """Attributes as labels; where two names become one, the values are joined with a semicolon in name order."""
    labels: dict[str, str] = {}
    for key in sorted(found):
        name = label_name(key[:_MAX_LABEL_NAME])
        if name:
            value = as_text(found[key])
            labels[name] = clean_text((f"{labels[name]};{value}" if name in labels else value)[:_MAX_VALUE])
    return labels


class _Points:
    """The samples of one metric, protobuf's class or the struct that JSON becomes, when iterated."""

    def __init__(self, metric: Any, target: dict[str, str], received_ns: int, rejections: Rejections) -> None:
        self._metric = metric
        self._target = target
        self._received_ns = received_ns
        self._rejections = rejections
        self._name = ""
        self._subject = clean_text(metric.name[:100])
        self.metadata: MetricMetadata | None = None

    def __iter__(self) -> Iterator[AnySample]:
        metric = self._metric
        kind = metric.WhichOneof("data")
        data: Any = getattr(metric, kind) if kind else None
        if data is None or not metric.name:
            self._rejections.add("a metric has no name or no data", max(1, len(data.data_points) if data else 1))
            return
        if len(metric.name) > _MAX_NAME:
            self._refuse(f"the name is longer than {_MAX_NAME} characters", data)
            return
        if kind in ("sum", "histogram", "exponential_histogram"):
            temporality = enum_number(AggregationTemporality, data.aggregation_temporality)
            if temporality != AGGREGATION_TEMPORALITY_CUMULATIVE:
                delta = temporality == AGGREGATION_TEMPORALITY_DELTA
                self._refuse(f"{'delta' if delta else 'no'} temporality; set the exporter's to cumulative", data)
                return
        monotonic = kind == "sum" and data.is_monotonic
        gauge = kind == "gauge" or (kind == "sum" and not monotonic)
        self._name = metric_name(metric.name, metric.unit[:_MAX_UNIT], monotonic=monotonic, gauge=gauge)
        if not self._name:
            self._refuse("the name holds no letter or digit", data)
            return
        type_ = MetricType.COUNTER if monotonic else _TYPES.get(kind or "", MetricType.GAUGE)
        unit = "_".join(unit_words(metric.unit[:_MAX_UNIT]))
        self.metadata = MetricMetadata(self._name, type_, clean_text(metric.description[:2_048]), unit)
        read = {"histogram": self._histogram, "summary": self._summary}.get(kind or "", self._number)
        for point in data.data_points:
            at = point.time_unix_nano or self._received_ns
            if at > LATEST_NS:
                self._rejections.add("a time beyond 2262", subject=self._subject)
                continue
            labels = {**_label_set(attributes(point.attributes)), **self._target}
            if sum(map(len, labels.values())) > _MAX_LABELS:
                self._rejections.add(f"the labels are longer than {_MAX_LABELS:,} characters", subject=self._subject)
                continue
            stale = bool(point.flags & _NO_VALUE)
            if kind == "exponential_histogram":
                yield from self._exponential(point, Labels({**labels, METRIC_NAME: self._name}), at // 1_000_000, stale)
                continue
            for suffix, extra, value in read(point):
                named = Labels({**labels, **extra, METRIC_NAME: self._name + suffix})
                yield Sample(named, at // 1_000_000, STALE_NAN if stale else value)

    def _refuse(self, reason: str, data: Any) -> None:
        self._rejections.add(reason, max(1, len(data.data_points)), subject=self._subject)

    def _number(self, point: Any) -> Iterator[tuple[str, dict[str, str], float]]:
        kind = point.WhichOneof("value")
        if kind is not None:
            yield "", {}, float(getattr(point, kind))
        elif point.flags & _NO_VALUE:
            yield "", {}, STALE_NAN
        else:
            self._rejections.add("a point without a value", subject=self._subject)

    def _histogram(self, point: Any) -> Iterator[tuple[str, dict[str, str], float]]:
        bounds, counts = point.explicit_bounds, point.bucket_counts
        ordered = all(low < high for low, high in itertools.pairwise(bounds))
        if (counts and len(counts) != len(bounds) + 1) or not ordered or len(bounds) > _MAX_BUCKETS:
            self._rejections.add("buckets and bounds do not fit together", subject=self._subject)
            return
        total = 0
        for bound, count in zip(bounds, counts, strict=False):
            total += count
            if bound != float("inf"):
                yield "_bucket", {"le": _plain(bound)}, float(total)
        yield "_bucket", {"le": "+Inf"}, float(point.count)
        if point.HasField("sum"):
            yield "_sum", {}, point.sum
        yield "_count", {}, float(point.count)

    def _exponential(self, point: Any, labels: Labels, at: int, stale: bool) -> Iterator[AnySample]:
        if stale:
            yield Sample(labels, at, STALE_NAN)
            return
        try:
            value = exponential_to_native(point)
        except ValueError as error:
            self._rejections.add(str(error), subject=self._subject)
            return
        started = point.start_time_unix_nano // 1_000_000
        yield HistogramSample(labels, at, value, started if started <= at else 0)

    def _summary(self, point: Any) -> Iterator[tuple[str, dict[str, str], float]]:
        for quantile in point.quantile_values[:_MAX_BUCKETS]:
            yield "", {"quantile": _plain(quantile.quantile)}, quantile.value
        yield "_sum", {}, point.sum
        yield "_count", {}, float(point.count)


def _plain(number: float) -> str:
    """A bound without exponent or trailing zero: ``0.005``, ``10``."""
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
