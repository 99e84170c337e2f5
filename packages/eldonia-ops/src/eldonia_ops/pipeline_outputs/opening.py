"""From an output as it is declared to one that runs."""

import hashlib
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.formatters.timed import StdoutFormatter
from eldonia_ops.pipeline.outputs import (
    CopyOutput,
    ElasticsearchOutput,
    FileOutput,
    ForwardOutput,
    HttpOutput,
    NullOutput,
    Output,
    RelabelOutput,
    StdoutOutput,
    StoreOutput,
)
from eldonia_ops.pipeline.section import Section, SectionReader
from eldonia_ops.pipeline_outputs.buffered import BufferedOutput
from eldonia_ops.pipeline_outputs.chunk_files import FileChunks
from eldonia_ops.pipeline_outputs.chunk_store import ChunkStore, MemoryChunks
from eldonia_ops.pipeline_outputs.copied import CopyWriter
from eldonia_ops.pipeline_outputs.delivery import Delivery
from eldonia_ops.pipeline_outputs.direct import NullWriter, RelabelWriter, StdoutWriter, StoreWriter
from eldonia_ops.pipeline_outputs.elasticsearch import ElasticsearchDelivery
from eldonia_ops.pipeline_outputs.file import FileDelivery
from eldonia_ops.pipeline_outputs.forward import ForwardDelivery
from eldonia_ops.pipeline_outputs.http import HttpDelivery
from eldonia_ops.pipeline_outputs.injecting import InjectingOutput
from eldonia_ops.pipeline_outputs.running import OutputEdge, RunningOutput
from eldonia_ops.pipeline_outputs.stored import StoreDelivery

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_THREADS: Final = 2


def open_output(output: Output, edge: OutputEdge) -> RunningOutput:
    """The output at work. Its buffer's chunks of an earlier process are found again.

    Raises:
        OSError: the folder of its buffer cannot be used, or another process has it.
        ValueError: a chunk key or zone is not valid.
    """
    found = _opened(ours(output, edge), edge)
    return found if output.inject is None else InjectingOutput(found, output.inject, edge.hostname)


def _opened(output: Output, edge: OutputEdge) -> RunningOutput:
    match output:
        case CopyOutput():
            return CopyWriter(output, [(store, open_output(store.output, edge)) for store in output.stores])
        case NullOutput():
            return NullWriter(output)
        case RelabelOutput():
            return RelabelWriter(output, edge)
        case StdoutOutput():
            return StdoutWriter(output, output.formatter or StdoutFormatter(SectionReader(Section("format"), [])))
        case StoreOutput() if output.buffer is None or not (output.buffer.file or output.secondary):
            # A buffer in memory would acknowledge what a kill loses, and the store gathers what comes itself.
            return StoreWriter(output, edge)
    settings = output.buffer or BufferSettings()
    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="pipeline-output")
    chunks: ChunkStore = MemoryChunks()
    if settings.file:
        chunks = FileChunks(buffer_folder(output, settings, edge), executor)
    secondary = None if output.secondary is None else _delivery(output.secondary, settings, edge, executor)
    delivery = _delivery(output, settings, edge, executor)
    return BufferedOutput(
        output,
        settings,
        edge,
        chunks,
        delivery,
        secondary=secondary,
        watched=delivery if isinstance(delivery, ForwardDelivery) else None,
        nonce=secrets.token_hex(6),
        executor=executor,
    )


def ours(output: Output, edge: OutputEdge) -> Output:
    """The same output, or our own store for an Elasticsearch that is this platform itself."""
    if not isinstance(output, ElasticsearchOutput) or not edge.own_addresses:
        return output
    addresses = {_address(url) for url in output.urls}
    if not addresses <= edge.own_addresses:
        return output
    return StoreOutput(id=output.id, place=output.place, buffer=output.buffer, index=output.index)


def buffer_folder(output: Output, settings: BufferSettings, edge: OutputEdge) -> Path:
    """Where the chunks of an output are: ``path`` of its buffer, else a folder with the output's name. Fluentd's
    ``buf.*.log`` is the folder ``buf``: two outputs may have files in one folder there."""
    if settings.path:
        path = Path(settings.path)
        return path.parent / (path.name.partition("*")[0].strip(".") or "buffer") if "*" in path.name else path
    name = _UNSAFE.sub("_", output.id)[:80]
    return edge.buffers / f"{name}-{hashlib.sha256(output.id.encode()).hexdigest()[:8]}"


def _delivery(output: Output, settings: BufferSettings, edge: OutputEdge, executor: ThreadPoolExecutor) -> Delivery:
    output = ours(output, edge)
    match output:
        case FileOutput():
            return FileDelivery(output, settings, executor)
        case HttpOutput():
            return HttpDelivery(output, settings)
        case ElasticsearchOutput():
            return ElasticsearchDelivery(output, settings, edge.errors, edge.now_ms)
        case ForwardOutput():
            hostname = output.self_hostname or edge.hostname or "eldonia-ops"
            return ForwardDelivery(replace(output, self_hostname=hostname), edge.now_ms, secrets.token_bytes)
        case StoreOutput():
            return StoreDelivery(edge)
    raise ValueError(f"an output of type {output.type} has no buffer")


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
