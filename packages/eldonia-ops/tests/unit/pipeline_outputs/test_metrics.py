"""Every metric of outputs is declared."""

from eldonia_ops.pipeline_outputs.metrics import output_metrics
from eldonia_ops.pipeline_outputs.running import OutputStatus
from eldonia_ops.services.metric_declarations import BY_NAME


def test_metrics_are_declared_with_their_label() -> None:
    found = output_metrics([OutputStatus('a"b', "http", "", queued_bytes=5, oldest_ms=1_500)])
    # One that watches its servers has a series for each of them.
    watched = output_metrics([OutputStatus("f", "forward", "", servers=(("a:1", False), ("b:2", True)))])
    names = [name for name in watched if "server" in name]
    assert [(name, watched[name]) for name in names] == [
        ('eldonia_ops_pipeline_output_server_available{output="f",server="a:1"}', 1.0),
        ('eldonia_ops_pipeline_output_server_available{output="f",server="b:2"}', 0.0),
    ]
    assert BY_NAME[names[0].partition("{")[0]].labels == ("output", "server")
    assert {name.partition("{")[0] for name in found} <= BY_NAME.keys()
    assert all(BY_NAME[name.partition("{")[0]].labels == ("output",) for name in found)
    assert found['eldonia_ops_pipeline_output_queued_bytes{output="a\\"b"}'] == 5
    assert found['eldonia_ops_pipeline_output_oldest_chunk_timestamp_seconds{output="a\\"b"}'] == 1.5
