"""Ingest pipelines: processors that change documents before they are stored.

Source: https://www.elastic.co/docs/reference/enrich-processor/
"""

from eldonia_ops.protocols.elasticsearch.ingest.pipeline import OTHERS, Pipeline, PipelineSet, compile_pipeline
from eldonia_ops.protocols.elasticsearch.ingest.registry import PROCESSORS

__all__ = ["OTHERS", "PROCESSORS", "Pipeline", "PipelineSet", "compile_pipeline"]
