"""Every metric of outputs is declared."""

from eldonia_ops.pipeline_outputs.metrics import output_metrics
from eldonia_ops.pipeline_outputs.running import OutputStatus
from eldonia_ops.services.metric_declarations import BY_NAME


def test_metrics_are_declared_with_their_label() -> None:
    found = output_metrics([OutputStatus('a"b', "http", "", queued_bytes=5, oldest_ms=1_500)])
    assert {name.partition("{")[0] for name in found} <= BY_NAME.keys()
    assert all(BY_NAME[name.partition("{")[0]].labels == ("output",) for name in found)
    assert found['eldonia_pipeline_output_queued_bytes{output="a\\"b"}'] == 5
    assert found['eldonia_pipeline_output_oldest_chunk_timestamp_seconds{output="a\\"b"}'] == 1.5
