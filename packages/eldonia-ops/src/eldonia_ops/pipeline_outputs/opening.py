"""From an output as it is declared to one that runs."""

import hashlib
import re
import secrets
from collections.abc import Iterable
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
    PrometheusOutput,
    RelabelOutput,
    StdoutOutput,
    StoreOutput,
)
from eldonia_ops.pipeline.section import Section, SectionReader
from eldonia_ops.pipeline_outputs.buffered import BufferedOutput
from eldonia_ops.pipeline_outputs.chunk_files import SUFFIX, FileChunks
from eldonia_ops.pipeline_outputs.chunk_store import ChunkStore, MemoryChunks
from eldonia_ops.pipeline_outputs.copied import CopyWriter
from eldonia_ops.pipeline_outputs.delivery import Delivery
from eldonia_ops.pipeline_outputs.direct import NullWriter, PrometheusWriter, RelabelWriter, StdoutWriter, StoreWriter
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
        case PrometheusOutput():
            return PrometheusWriter(output, edge)
        case RelabelOutput():
            return RelabelWriter(output, edge)
        case StdoutOutput():
            return StdoutWriter(output, output.formatter or StdoutFormatter(SectionReader(Section("format"), [])))
        case StoreOutput() if output.buffer is None or not (output.buffer.file or output.secondary):
            # The store is durable, and gathers what comes itself.
            return StoreWriter(output, edge)
    settings = output.buffer or BufferSettings()
    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="pipeline-output")
    chunks: ChunkStore = MemoryChunks()
    if settings.file or edge.keep_memory:
        chunks = FileChunks(buffer_folder(output, settings, edge.buffers), executor, settings.total_limit_size)
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


def buffer_folder(output: Output, settings: BufferSettings, buffers: Path) -> Path:
    """Where the chunks of an output are: ``path`` of its buffer, else a folder with the output's name. Fluentd's
    ``buf.*.log`` is the folder ``buf``: two outputs may have files in one folder there. A buffer in memory has no
    ``path``."""
    if settings.file and settings.path:
        path = Path(settings.path)
        return path.parent / (path.name.partition("*")[0].strip(".") or "buffer") if "*" in path.name else path
    name = _UNSAFE.sub("_", output.id)[:80]
    return buffers / f"{name}-{hashlib.sha256(output.id.encode()).hexdigest()[:8]}"


def left_behind(buffers: Path, outputs: Iterable[Output]) -> dict[Path, int]:
    """Folders of ``buffers`` with chunks that no output has any more, and how many: an output without ``@id`` is known
    by its line.

    Raises:
        OSError: the folder of buffers cannot be read.
    """
    known = {buffer_folder(one, one.buffer or BufferSettings(), buffers) for one in outputs}
    if not buffers.is_dir():
        return {}
    counts = {folder: sum(1 for _ in folder.glob("*" + SUFFIX)) for folder in buffers.iterdir() if folder not in known}
    return {folder: count for folder, count in sorted(counts.items()) if count}


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
