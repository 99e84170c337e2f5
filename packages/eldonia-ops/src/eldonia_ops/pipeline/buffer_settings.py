"""The ``<buffer>`` section: what is gathered before it is written, and how often writing is tried again.

Names and defaults are Fluentd's (https://docs.fluentd.org/configuration/buffer-section). Parameters of Fluentd 0.12,
which are written beside the output's own (``flush_interval``, ``buffer_chunk_limit``), are read as well.
"""

from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.section import Parameter, Section, SectionReader

MS: Final = 1_000
DAY_SECONDS: Final = 86_400

# Name of Fluentd 0.12, beside the output's own parameters → name in the <buffer> section.
_OLD_NAMES: Final = {
    "buffer_type": "@type",
    "buffer_path": "path",
    "num_threads": "flush_thread_count",
    "flush_interval": "flush_interval",
    "flush_at_shutdown": "flush_at_shutdown",
    "try_flush_interval": "flush_thread_interval",
    "queued_chunk_flush_interval": "flush_thread_burst_interval",
    "disable_retry_limit": "retry_forever",
    "retry_limit": "retry_max_times",
    "max_retry_wait": "retry_max_interval",
    "buffer_chunk_limit": "chunk_limit_size",
    "buffer_queue_limit": "queue_limit_length",
    "buffer_queue_full_action": "overflow_action",
    "flush_mode": "flush_mode",
    "retry_wait": "retry_wait",
    "retry_max_times": "retry_max_times",
    "retry_forever": "retry_forever",
    "time_slice_wait": "timekey_wait",
    "timezone": "timekey_zone",
}
_OLD_ACTIONS: Final = {"exception": "throw_exception"}
_FILE_TYPES: Final = ("file", "file_single")


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """When a chunk that could not be written is tried again. Durations are in milliseconds; 0 of ``max_interval_ms``
    and -1 of ``max_times`` mean no bound."""

    periodic: bool = False
    wait_ms: int = 1_000
    base: float = 2.0
    max_interval_ms: int = 0
    timeout_ms: int = 72 * 3_600 * MS
    max_times: int = -1
    forever: bool = False
    randomize: bool = True
    secondary_threshold: float = 0.8


@dataclass(frozen=True, slots=True)
class BufferSettings:
    """One ``<buffer>`` section. Durations are in milliseconds, sizes in bytes; 0 of a limit means that there is none.

    ``chunk_keys`` are ``tag``, ``time`` and names of record fields (``$.a.b`` and ``$['a']['b']`` reach into a record).
    ``timekey_ms`` is 0 when ``time`` is no chunk key. ``timekey_zone`` is an offset such as ``+09:00``, a zone's name,
    or '' for the local zone of the machine.
    """

    chunk_keys: tuple[str, ...] = ()
    file: bool = False
    path: str = ""
    timekey_ms: int = 0
    timekey_wait_ms: int = 600 * MS
    timekey_zone: str = ""
    flush_mode: str = "interval"
    flush_interval_ms: int = 60 * MS
    flush_at_shutdown: bool = True
    flush_threads: int = 1
    chunk_limit_size: int = 8 << 20
    chunk_limit_records: int = 0
    chunk_full_threshold: float = 0.95
    total_limit_size: int = 512 << 20
    queue_limit_length: int = 0
    overflow_action: str = "throw_exception"
    retry: RetrySettings = RetrySettings()

    @property
    def by_tag(self) -> bool:
        """Whether a chunk has events of one tag only."""
        return "tag" in self.chunk_keys

    @property
    def fields(self) -> tuple[str, ...]:
        """The chunk keys that are fields of the record."""
        return tuple(key for key in self.chunk_keys if key not in ("tag", "time"))


def buffer_of(owner: SectionReader, *, keys: tuple[str, ...] = (), timekey: str = "") -> BufferSettings:
    """The buffer of an output: its ``<buffer>`` section, parameters of Fluentd 0.12, or the defaults.

    ``keys`` and ``timekey`` (seconds, or with a unit) are the output's own defaults for a file that says nothing.
    """
    section = owner.one_section("buffer")
    old: dict[str, Parameter] = {}
    for name, new in _OLD_NAMES.items():
        if owner.value(name) is not None:
            old[new] = owner.section.parameters[name]
    if section is None:
        section = Section("buffer", ",".join(keys), {}, (), owner.section.place)
        if timekey:
            old.setdefault("timekey", Parameter("timekey", timekey, owner.section.place))
    elif not section.argument and timekey and "timekey" not in section.parameters:
        old.setdefault("timekey", Parameter("timekey", timekey, section.place))
    if not section.argument:
        section = Section("buffer", ",".join(keys), section.parameters, section.sections, section.place)
    if old:
        section = Section("buffer", section.argument, {**old, **section.parameters}, section.sections, section.place)
    return read_buffer(SectionReader(section, owner.problems))


def read_buffer(reader: SectionReader) -> BufferSettings:
    """A ``<buffer>`` section. What is wrong is noted in the reader's problems."""
    keys = tuple(key.strip() for key in reader.section.argument.split(",") if key.strip() not in ("", "[]"))
    kind = reader.section.type or "memory"
    if kind not in (*_FILE_TYPES, "memory"):
        reader.problem(f"there is no buffer of type {kind!r}", "@type", hint="use memory or file")
    file = kind in _FILE_TYPES
    timekey_ms = round(reader.seconds("timekey", 0) * MS)
    if "time" in keys and not timekey_ms:
        reader.problem("<buffer time> needs timekey, such as 1h or 1d")
    if timekey_ms and "time" not in keys:
        timekey_ms = 0
    mode = reader.choice("flush_mode", ("default", "lazy", "interval", "immediate"), "default")
    if mode == "default":
        mode = "lazy" if timekey_ms else "interval"
    utc = reader.boolean("timekey_use_utc", False)
    zone = reader.string("timekey_zone")
    reader.ignore(
        "flush_thread_interval", "flush_thread_burst_interval", "delayed_commit_timeout", "compress", "path_suffix",
        "queued_chunks_limit_size", "disable_chunk_backup", "decompression_size_limit", "utc", "localtime",
    )  # fmt: skip
    action = reader.string("overflow_action", "throw_exception")
    action = _OLD_ACTIONS.get(action, action)
    if action not in ("throw_exception", "block", "drop_oldest_chunk"):
        reader.problem(
            f"overflow_action cannot be {action!r}",
            "overflow_action",
            hint="throw_exception, block or drop_oldest_chunk",
        )
        action = "throw_exception"
    if action == "drop_oldest_chunk":
        reader.problem("drop_oldest_chunk loses events when the buffer is full", "overflow_action", level=Level.WARNING)
    chunk = reader.size("chunk_limit_size", (256 if file else 8) << 20)
    total = reader.size("total_limit_size", (64 << 30) if file else (512 << 20))
    length = reader.integer("queue_limit_length", 0, minimum=0)
    if length and length * chunk < total:
        total = length * chunk
    if chunk > total:
        reader.problem("chunk_limit_size is larger than total_limit_size", "chunk_limit_size")
    settings = BufferSettings(
        chunk_keys=keys,
        file=file,
        path=reader.string("path"),
        timekey_ms=timekey_ms,
        timekey_wait_ms=round(reader.seconds("timekey_wait", 600) * MS),
        timekey_zone="+00:00" if utc else zone,
        flush_mode=mode,
        flush_interval_ms=round(reader.seconds("flush_interval", 60) * MS),
        flush_at_shutdown=reader.boolean("flush_at_shutdown", not file),
        flush_threads=reader.integer("flush_thread_count", 1, minimum=1),
        chunk_limit_size=chunk,
        chunk_limit_records=reader.integer("chunk_limit_records", 0, minimum=0),
        chunk_full_threshold=reader.number("chunk_full_threshold", 0.95, minimum=0),
        total_limit_size=total,
        queue_limit_length=length,
        overflow_action=action,
        retry=_retry(reader),
    )
    reader.finish()
    return settings


def _retry(reader: SectionReader) -> RetrySettings:
    kind = reader.choice("retry_type", ("exponential_backoff", "periodic"), "exponential_backoff")
    return RetrySettings(
        periodic=kind == "periodic",
        wait_ms=round(reader.seconds("retry_wait", 1) * MS),
        base=reader.number("retry_exponential_backoff_base", 2, minimum=1),
        max_interval_ms=round(reader.seconds("retry_max_interval", 0) * MS),
        timeout_ms=round(reader.seconds("retry_timeout", 72 * 3_600) * MS),
        max_times=reader.integer("retry_max_times", -1),
        forever=reader.boolean("retry_forever", False),
        randomize=reader.boolean("retry_randomize", True),
        secondary_threshold=reader.number("retry_secondary_threshold", 0.8, minimum=0),
    )
