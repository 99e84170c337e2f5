"""A pipeline as a value: what its processors do with one document after another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument
from eldonia_ops.protocols.elasticsearch.ingest.conditions import condition
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError, bad_processor, unknown_processor
from eldonia_ops.protocols.elasticsearch.ingest.fields import MISSING, IngestDocument, java_name
from eldonia_ops.protocols.elasticsearch.ingest.options import Options, templated
from eldonia_ops.protocols.elasticsearch.ingest.registry import INSTEAD, PROCESSORS

OTHERS: Final = ("foreach", "pipeline")
"""Kinds that run processors themselves."""

_ELEMENT: Final = ("_value", "_key")
MAX_PROCESSORS: Final = 500
MAX_STEPS: Final = 2_000
"""Processors that one document may go through."""

_DEEPEST: Final = 10
_KNOWN: Final = frozenset({
    *("description", "processors", "on_failure", "version", "_meta", "deprecated", "field_access_pattern"),
    *("created_date", "created_date_millis", "modified_date", "modified_date_millis"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One processor. ``run`` takes the document and the other pipelines; ``on_failure`` are run when it fails."""

    kind: str
    tag: str
    run: Callable[[IngestDocument, "PipelineSet"], None]
    holds: Callable[[IngestDocument], bool] | None
    ignore_failure: bool
    on_failure: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Processors in their order, and those that are run when one of them fails."""

    name: str
    steps: tuple[Step, ...]
    on_failure: tuple[Step, ...] = ()

    def run(self, document: IngestDocument, others: "PipelineSet") -> None:
        """Change a document.

        Raises:
            ProcessorError: a processor failed, and nothing is done about it.
        """
        document.ingest["pipeline"] = self.name
        try:
            _run(self.steps, document, others)
        except ProcessorError as error:
            if not self.on_failure:
                raise
            _noted(document, error, "", "", self.name)
            _run(self.on_failure, document, others)


@dataclass(slots=True)
class PipelineSet:
    """All pipelines that are declared; each is compiled when it is used."""

    bodies: Mapping[str, Mapping[str, Any]]
    _compiled: dict[str, Pipeline] = field(default_factory=dict)
    _depth: int = 0

    def get(self, name: str) -> Pipeline | None:
        """The pipeline of a name.

        Raises:
            ElasticsearchError: it cannot be used.
        """
        if name not in self._compiled:
            if name not in self.bodies:
                return None
            self._compiled[name] = compile_pipeline(name, self.bodies[name])
        return self._compiled[name]

    def run(self, name: str, document: IngestDocument) -> None:
        """Let a document go through a pipeline.

        Raises:
            ProcessorError: there is none of this name, it calls itself, or a processor failed.
        """
        try:
            pipeline = self.get(name)
        except ElasticsearchError as error:
            raise ProcessorError(f"pipeline with id [{name}] cannot be used: {error.reason}") from None
        if pipeline is None:
            raise ProcessorError(f"pipeline with id [{name}] does not exist")
        if self._depth >= _DEEPEST:
            raise ProcessorError(f"Cycle detected for pipeline: {name}", "graph_structure_exception")
        self._depth += 1
        try:
            pipeline.run(document, self)
        finally:
            self._depth -= 1


def compile_pipeline(name: str, body: Mapping[str, Any]) -> Pipeline:
    """A pipeline of its JSON.

    Raises:
        ElasticsearchError: it cannot be used; the reason says which processor and option.
    """
    processors = body.get("processors")
    if processors is None:
        raise ElasticsearchError(400, "parse_exception", "[processors] required property is missing")
    if unknown := sorted(set(body) - _KNOWN):
        reason = f"pipeline [{name}] doesn't support one or more provided configuration parameters [{unknown[0][:100]}]"
        raise ElasticsearchError(400, "parse_exception", reason)
    return Pipeline(name, _steps(processors, "processors", 0), _steps(body.get("on_failure") or [], "on_failure", 0))


def _steps(stated: Any, name: str, depth: int) -> tuple[Step, ...]:
    if not isinstance(stated, list):
        raise ElasticsearchError(400, "parse_exception", f"[{name}] property isn't a list")
    if len(stated) > MAX_PROCESSORS or depth > _DEEPEST:
        raise illegal_argument(f"a pipeline may have {MAX_PROCESSORS} processors, and [on_failure] {_DEEPEST} levels")
    return tuple(_step(one, depth) for one in stated)


def _step(stated: Any, depth: int) -> Step:
    if not isinstance(stated, dict) or len(stated) != 1:
        raise ElasticsearchError(400, "parse_exception", "each of [processors] is an object with the name of one")
    kind, given = next(iter(stated.items()))
    if kind not in OTHERS and kind not in PROCESSORS:
        raise unknown_processor(kind[:100], INSTEAD.get(kind) or nearest(kind[:100], [*PROCESSORS, *OTHERS]))
    if not isinstance(given, dict):
        raise bad_processor(kind, "the options of a processor are an object")
    options = Options(kind, given)
    written = options.value("if")
    holds: Callable[[IngestDocument], bool] | None = None
    if written is not None:
        try:
            source = written.get("source") if isinstance(written, dict) else written
            holds = condition(str(source))
        except ValueError as error:
            raise bad_processor(kind, f"{error}; docs/elasticsearch.md has what conditions may have", "if") from None
    ignores = options.flag("ignore_failure")
    on_failure = _steps(options.value("on_failure") or [], "on_failure", depth + 1)
    if kind == "pipeline":
        run = _other(options)
    elif kind == "foreach":
        run = _foreach(options, depth)
    else:
        run = _alone(PROCESSORS[kind](options))
    options.done()
    return Step(kind, options.tag, run, holds, ignores, on_failure)


def _alone(run: Callable[[IngestDocument], None]) -> Callable[[IngestDocument, PipelineSet], None]:
    return lambda document, _others: run(document)


def _other(options: Options) -> Callable[[IngestDocument, PipelineSet], None]:
    name = templated(options.text("name"))
    ignore = options.flag("ignore_missing_pipeline")

    def run(document: IngestDocument, others: PipelineSet) -> None:
        found = name(document)
        if not ignore or found in others.bodies:
            others.run(found, document)

    return run


def _foreach(options: Options, depth: int) -> Callable[[IngestDocument, PipelineSet], None]:
    """A processor for each element of a list, or each value of an object: ``_ingest._value``, ``_ingest._key``."""
    field, ignore = options.text("field"), options.flag("ignore_missing")
    (step,) = _steps([options.need("processor")], "processor", depth + 1)

    def run(document: IngestDocument, others: PipelineSet) -> None:
        found = document.get(field) if ignore else document.need(field)
        if found is MISSING or (found is None and ignore):
            return
        if not isinstance(found, list | dict):
            raise ProcessorError(f"field [{field}] of type [{java_name(found)}] cannot be cast to a list or map")
        around = {key: document.ingest[key] for key in _ELEMENT if key in document.ingest}
        pairs = list(found.items()) if isinstance(found, dict) else list(enumerate(found))
        made: list[tuple[Any, Any]] = []
        try:
            for key, value in pairs:
                document.ingest["_value"] = value
                if isinstance(found, dict):
                    document.ingest["_key"] = key
                _run((step,), document, others)
                if document.dropped:
                    return
                made.append((document.ingest.get("_key", key), document.ingest.get("_value")))
        finally:
            for key in _ELEMENT:
                document.ingest.pop(key, None)
            document.ingest |= around
        # What the processor did to the field itself is gone then, as in Elasticsearch.
        document.set(
            field, {str(key): value for key, value in made} if isinstance(found, dict) else [v for _, v in made]
        )

    return run


def _run(steps: Sequence[Step], document: IngestDocument, others: PipelineSet) -> None:
    for step in steps:
        if document.dropped:
            return
        document.steps += 1
        if document.steps > MAX_STEPS:
            raise ProcessorError(f"a document may go through {MAX_STEPS} processors")
        try:
            if step.holds is None or step.holds(document):
                step.run(document, others)
        except ProcessorError as error:
            if step.on_failure:
                _noted(document, error, step.kind, step.tag, str(document.ingest.get("pipeline", "")))
                _run(step.on_failure, document, others)
            elif not step.ignore_failure:
                raise


def _noted(document: IngestDocument, error: ProcessorError, kind: str, tag: str, pipeline: str) -> None:
    document.ingest |= {
        "on_failure_message": error.reason,
        "on_failure_processor_type": kind,
        "on_failure_processor_tag": tag,
        "on_failure_pipeline": pipeline,
    }
