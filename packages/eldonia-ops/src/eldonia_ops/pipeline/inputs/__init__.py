"""Inputs as they are declared: the settings of each ``<source>``, and which tags its events can have."""

from eldonia_ops.pipeline.inputs.http import HttpInput
from eldonia_ops.pipeline.inputs.input import Input
from eldonia_ops.pipeline.inputs.registry import INPUT_TYPES, input_of
from eldonia_ops.pipeline.inputs.sample import SampleInput
from eldonia_ops.pipeline.inputs.servers import ForwardInput, StreamInput, SyslogInput
from eldonia_ops.pipeline.inputs.systemd import SystemdInput
from eldonia_ops.pipeline.inputs.tail import TailInput

__all__ = [
    "INPUT_TYPES",
    "ForwardInput",
    "HttpInput",
    "Input",
    "SampleInput",
    "StreamInput",
    "SyslogInput",
    "SystemdInput",
    "TailInput",
    "input_of",
]
