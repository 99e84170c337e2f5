"""Outputs as they are declared: the settings of each, and what is written where. Pure: who writes is
:mod:`eldonia_ops.pipeline_outputs`."""

from eldonia_ops.pipeline.outputs.copy import CopyOutput, CopyStore
from eldonia_ops.pipeline.outputs.elasticsearch import ElasticsearchOutput
from eldonia_ops.pipeline.outputs.file import FileOutput
from eldonia_ops.pipeline.outputs.forward import ForwardOutput
from eldonia_ops.pipeline.outputs.http import HttpOutput
from eldonia_ops.pipeline.outputs.output import Output
from eldonia_ops.pipeline.outputs.registry import OUTPUT_TYPES, output_of
from eldonia_ops.pipeline.outputs.simple import NullOutput, PrometheusOutput, RelabelOutput, StdoutOutput, StoreOutput

__all__ = [
    "OUTPUT_TYPES",
    "CopyOutput",
    "CopyStore",
    "ElasticsearchOutput",
    "FileOutput",
    "ForwardOutput",
    "HttpOutput",
    "NullOutput",
    "Output",
    "PrometheusOutput",
    "RelabelOutput",
    "StdoutOutput",
    "StoreOutput",
    "output_of",
]
