"""Headers, and what a request is answered, over sinks that remember what they got."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import cramjam
import pytest

from eldonia_ops.intake import IntakeAnswer, IntakeLimits, IntakeRequest, UnsupportedError
from eldonia_ops.intake.prometheus_remote_write import INTAKE
from eldonia_ops.intake.prometheus_remote_write.messages import WriteRequest
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import MetricMetadata, Sample
from eldonia_ops.ports import TelemetryError

T = TypeVar("T")
HEADERS = {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
}
OUT_OF_ORDER = "a sample that is older than the newest of its series"


class Sink:
    """Implements :class:`~eldonia_ops.intake.IntakePlatform` with lists. ``answer`` is what the store refuses."""

    def __init__(self) -> None:
        self.limits = IntakeLimits()
        self.stored: list[Sample] = []
        self.metadata: list[MetricMetadata] = []
        self.answer: Mapping[str, int] = {}
        self.noted: list[Mapping[str, int]] = []
        self.logs: Any = None
        self.spans: Any = None
        self.samples = Samples(self)

    def now_ns(self) -> int:
        return 0

    async def aside(self, work: Callable[[], T]) -> T:
        return work()

    def refused(self, signal: str, sender: str, reasons: Mapping[str, int]) -> None:
        assert (signal, sender) == ("metrics", "prometheus (127.0.0.1)")
        self.noted.append({reason: count for reason, count in reasons.items() if count})


class Samples:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def samples(self, samples: Sequence[Sample], metadata: Sequence[MetricMetadata] = ()) -> Mapping[str, int]:
        self._sink.stored += samples
        self._sink.metadata += metadata
        return self._sink.answer


async def send(platform: Sink, message: Any, **headers: str) -> IntakeAnswer:
    body = bytes(cramjam.snappy.compress_raw(message.SerializeToString()))
    found = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = IntakeRequest("/api/v1/write", found, {}, body, "prometheus (127.0.0.1)")
    return await INTAKE.routes[0].accept(platform, request)


def message(*names: str) -> Any:
    made = WriteRequest()
    for name in names:
        series = made.timeseries.add()
        series.labels.add(name="__name__", value=name)
        series.samples.add(value=1.0, timestamp=1)
    return made


async def test_what_is_stored_is_answered_with_204_and_nothing_else() -> None:
    platform = Sink()
    made = message("up")
    made.metadata.add(type=2, metric_family_name="up", help="Whether.")
    answer = await send(platform, made)
    assert (answer.status, answer.body) == (204, b"")
    assert [one.labels.name for one in platform.stored] == ["up"]
    assert [one.help for one in platform.metadata] == ["Whether."]
    assert platform.noted == [{}]


async def test_the_first_reason_is_named_with_the_counts() -> None:
    platform = Sink()
    platform.answer = {OUT_OF_ORDER: 2}
    made = message("a", "", "b", "c", "")
    answer = await send(platform, made)
    assert answer.status == 400
    assert answer.body.decode() == "{}: the series has no metric name (4 refused, 1 stored)\n"
    assert platform.noted == [{"the series has no metric name": 2, OUT_OF_ORDER: 2}]
    answer = await send(platform, message("a", "b"))
    assert answer.body.decode() == f"{OUT_OF_ORDER} (2 refused, 0 stored)\n"


async def test_a_histogram_that_does_not_fit_is_refused_and_its_neighbours_are_stored() -> None:
    platform = Sink()
    made = message("up", "h")
    made.timeseries[1].histograms.add(count_int=3, timestamp=1)
    made.timeseries[1].histograms.add(count_int=3, zero_count_int=3, timestamp=2)
    answer = await send(platform, made)
    assert answer.status == 400
    reason = "a histogram whose count is not that of its buckets"
    assert answer.body.decode() == f"h{{}}: {reason} (1 refused, 3 stored)\n"
    assert platform.stored[-1].value == NativeHistogram(0, 3.0, 0.0, zero_count=3.0)


async def test_exemplars_alone_are_no_fault() -> None:
    platform = Sink()
    made = message("up")
    made.timeseries[0].exemplars.add(value=1.0)
    assert (await send(platform, made)).status == 204
    assert platform.noted == [{"an exemplar, which is not kept": 1}]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"content_type": "application/json"}, "send Content-Type: application/x-protobuf"),
        ({"content_type": ""}, "send Content-Type"),
        ({"content_type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}, "only remote write 1.0"),
        ({"x_prometheus_remote_write_version": "2.0.0"}, "only remote write 1.0"),
        ({"content_encoding": "gzip"}, "Content-Encoding: snappy"),
        ({"content_encoding": ""}, "Content-Encoding: snappy"),
    ],
)
async def test_other_formats_and_versions_are_refused(headers: dict[str, str], words: str) -> None:
    platform = Sink()
    with pytest.raises(UnsupportedError, match=words):
        await send(platform, message("up"), **headers)
    assert not platform.stored


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "application/x-protobuf; proto=prometheus.WriteRequest"},
        {"content_type": "Application/X-Protobuf"},
        {"content_encoding": "Snappy"},
        {"x_prometheus_remote_write_version": "1.0.0"},
    ],
)
async def test_the_spellings_of_1_0_are_taken(headers: dict[str, str]) -> None:
    assert (await send(Sink(), message("up"), **headers)).status == 204


async def test_what_cannot_be_stored_now_is_left_to_the_gate_which_answers_503() -> None:
    platform = Sink()

    async def fail(*_: Any) -> Mapping[str, int]:
        raise TelemetryError("disk")

    platform.samples.samples = fail  # type: ignore[method-assign]
    with pytest.raises(TelemetryError):
        await send(platform, message("up"))
