"""How outputs are doing, as metrics of the platform."""

from collections.abc import Iterable

from eldonia_ops.pipeline_outputs.running import OutputStatus


def output_metrics(statuses: Iterable[OutputStatus]) -> dict[str, float]:
    """The series of each output, by name with its label ``output``, which is the output's id."""
    found: dict[str, float] = {}
    for status in statuses:
        name = _escaped(status.id)
        label = f'{{output="{name}"}}'
        found |= {
            f"eldonia_ops_pipeline_output_queued_bytes{label}": float(status.queued_bytes),
            f"eldonia_ops_pipeline_output_queued_chunks{label}": float(status.queued_chunks),
            f"eldonia_ops_pipeline_output_oldest_chunk_timestamp_seconds{label}": status.oldest_ms / 1_000,
            f"eldonia_ops_pipeline_output_events_total{label}": float(status.written_events),
            f"eldonia_ops_pipeline_output_failures_total{label}": float(status.failed_writes),
            f"eldonia_ops_pipeline_output_given_up_events_total{label}": float(status.given_up_events),
            f"eldonia_ops_pipeline_output_dropped_events_total{label}": float(status.dropped_events),
            f"eldonia_ops_pipeline_output_broken_chunks_total{label}": float(status.broken_chunks),
        }
        for address, unavailable in status.servers:
            key = f'eldonia_ops_pipeline_output_server_available{{output="{name}",server="{_escaped(address)}"}}'
            found[key] = float(not unavailable)
    return found


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
