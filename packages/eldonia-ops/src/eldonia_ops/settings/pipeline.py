"""The section ``pipeline`` of the settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from eldonia_ops.pipeline.section import Section
from eldonia_ops.protocols.fluentd_config.own_form import read_own_part
from eldonia_ops.settings.containers import Texts
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Clean, Flag, Kind
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import FilePath


@dataclass(frozen=True, slots=True)
class PipelinePart(Kind):
    """The sources, filters, outputs or labels of a pipeline, as the sections that ``fluent.conf`` has for them."""

    @property
    def words(self) -> str:
        """The kind in words."""
        return "see [the pipeline](pipeline.md)"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> tuple[Section, ...]:
        """The sections."""
        node = reader.get(key)
        if node is None:
            return ()
        return read_own_part(key, node, reader.problems.file, reader.problems.diagnostics)

    def schema(self) -> dict[str, Any]:
        """A list of mappings, or a mapping of them."""
        return {"type": ["array", "object", "null"]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """What they are; their parameters may hold secrets."""
        return [{"type": section.type, "match": section.argument} for section in value]


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """``file`` is absolute once loaded. The sections of all parts make one pipeline, those of the file first."""

    file: Annotated[
        Path | None,
        Setting(FilePath(), "A `fluent.conf`, or Fluentd's configuration in YAML (`.yml`, `.yaml`)."),
    ] = None
    own_addresses: Annotated[
        tuple[str, ...],
        Setting(
            Texts(),
            "Addresses of Elasticsearch, such as `elasticsearch:9200`, that mean this platform: outputs to them write "
            "to its own store.",
        ),
    ] = ()
    keep_memory_buffers: Annotated[
        bool,
        Setting(
            Flag(),
            "What waits in a buffer of type `memory` is in the data folder, too: a kill does not lose it. With `false` "
            "it is in memory alone, as with Fluentd.",
        ),
    ] = True
    sources: Annotated[tuple[Section, ...], Setting(PipelinePart(), "Where events come from.")] = ()
    filters: Annotated[tuple[Section, ...], Setting(PipelinePart(), "What changes them, in this order.")] = ()
    outputs: Annotated[
        tuple[Section, ...], Setting(PipelinePart(), "Where they go: the first whose `match` fits takes an event.")
    ] = ()
    labels: Annotated[
        tuple[Section, ...], Setting(PipelinePart(), "Filters and outputs by the label in which they are.")
    ] = ()

    @property
    def used(self) -> bool:
        """Whether there is a pipeline at all."""
        return self.file is not None or any((self.sources, self.filters, self.outputs, self.labels))
