"""Inputs as they are declared: the settings of each ``<source>``, and which tags its events can have."""

from eldonia_ops.pipeline.inputs.input import Input
from eldonia_ops.pipeline.inputs.registry import INPUT_TYPES, RUN_TYPES, input_of
from eldonia_ops.pipeline.inputs.sample import SampleInput
from eldonia_ops.pipeline.inputs.servers import ForwardInput, HttpInput, StreamInput, SyslogInput
from eldonia_ops.pipeline.inputs.tail import TailInput

__all__ = [
    "INPUT_TYPES",
    "RUN_TYPES",
    "ForwardInput",
    "HttpInput",
    "Input",
    "SampleInput",
    "StreamInput",
    "SyslogInput",
    "TailInput",
    "input_of",
]
