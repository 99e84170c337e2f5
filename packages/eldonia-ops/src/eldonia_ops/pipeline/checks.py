"""What is wrong with a pipeline as a whole: matches that get nothing, tags that nothing takes, labels, shared files."""

from collections.abc import Iterable

from eldonia_ops.model.errors import Diagnostic, Level, nearest
from eldonia_ops.pipeline.filters.concat import Concat
from eldonia_ops.pipeline.filters.prometheus import Prometheus
from eldonia_ops.pipeline.filters.record_metrics import RecordMetric
from eldonia_ops.pipeline.flows import Flow, Flows, beyond, flows_of, matches_before
from eldonia_ops.pipeline.graph import ERROR, TOP, Label, Pipeline, Rule, labels_of, single_outputs
from eldonia_ops.pipeline.inputs import ForwardInput, TailInput
from eldonia_ops.pipeline.inputs.servers import ServerInput
from eldonia_ops.pipeline.outputs import PrometheusOutput
from eldonia_ops.pipeline.rewriters import SAME, RewriteTag
from eldonia_ops.pipeline.section import Place
from eldonia_ops.pipeline.tag_pattern import is_literal

_OWN_LABELS = (ERROR, "@FLUENT_LOG", "@ROOT", "")
_MOST_NAMED = 3


def check_pipeline(pipeline: Pipeline) -> list[Diagnostic]:
    """All findings, by place."""
    flows = flows_of(pipeline)
    found: list[Diagnostic] = []
    for label in pipeline.labels.values():
        for rule in label.rules:
            found += _rule(rule, label, flows.by_label.get(label.name, ()) if pipeline.complete else ())
    found += _untaken(pipeline, flows)
    found += _labels(pipeline, flows)
    found += _shared(pipeline)
    found += _metrics(pipeline)
    for source in pipeline.sources:
        if isinstance(source, ServerInput) and not _has_key(source):
            message = f"{source.type} takes events from this machine alone: others would not have to prove anything"
            hint = "write <security> with a shared_key" if source.type == "forward" else "write <transport tls>"
            if source.bind not in ("127.0.0.1", "::1", "localhost"):
                found.append(_note(message, source.place, hint))
    if not pipeline.sources and pipeline.complete:
        found.append(_note("there is no <source>: nothing comes into the pipeline", pipeline.labels[TOP].place))
    return sorted(found, key=lambda one: (one.file, one.line))


def _has_key(source: ServerInput) -> bool:
    """Whether those who send prove that they may: by a key, or by a certificate."""
    keyed = isinstance(source, ForwardInput) and bool(source.shared_key)
    return keyed or (source.transport.protocol == "tls" and bool(source.transport.client_ca_file))


def _note(message: str, place: Place, hint: str = "", level: Level = Level.WARNING) -> Diagnostic:
    return Diagnostic(message, place.file, place.line, hint=hint, level=level)


def _rule(rule: Rule, label: Label, flows: tuple[Flow, ...]) -> Iterable[Diagnostic]:
    """A rule that gets nothing: because of the matches before it, or because no source gives such a tag."""
    before = matches_before(rule, label)
    what = f"{rule.title} can never get an event"
    if before and beyond((rule.pattern,), before) is None:
        takers = _takers(rule, label)
        named = ", ".join(f"{one.title} in line {one.place.line}" for one in takers)
        verb = "takes" if len(takers) == 1 else "take"
        hint = "put it before them, or take it out" if rule.is_match else "put it before them: order counts"
        if len(takers) == 1:
            hint = hint.replace("them", "that")
        yield _note(f"{what}: {named} {verb} all its tags first", rule.place, hint)
        return
    if not flows or any(flow.reaches(rule, label) for flow in flows):
        return
    if rule.pattern.written.startswith("fluent."):
        hint = "this platform's own log is its standard error, and not a part of its pipeline"
        yield _note(f"{what}: fluent.* are tags of Fluentd's own log", rule.place, hint)
        return
    known = [f"{flow.shown} ({_origin(flow)})" for flow in flows[:_MOST_NAMED]]
    more = f" and {len(flows) - _MOST_NAMED} more" if len(flows) > _MOST_NAMED else ""
    where = f" in {label.name}" if label.name else ""
    message = f"{what}: the tags{where} are {', '.join(known)}{more}"
    yield _note(message, rule.place, _tag_hint(rule, flows))


def _origin(flow: Flow) -> str:
    return f"{flow.source.type if flow.source is not None else 'from'} line {flow.place.line}"


def _takers(rule: Rule, label: Label) -> list[Rule]:
    """As few matches before a rule as take all its tags together."""
    before = [one for one in label.rules if one.is_match and one.number < rule.number]
    for one in before:
        if beyond((rule.pattern,), [one.pattern]) is None:
            return [one]
    return [one for one in before if beyond((rule.pattern, one.pattern), []) is not None]


def _tag_hint(rule: Rule, flows: tuple[Flow, ...]) -> str:
    """What tag a file would have that is named as the pattern suggests."""
    word = rule.pattern.written.rpartition(".")[2]
    if not is_literal(rule.pattern.written) or not word:
        return "change the pattern, or the tag of the source"
    for flow in flows:
        if isinstance(flow.source, TailInput) and "*" in flow.source.tag and flow.source.paths:
            path = next((one for one in flow.source.paths if "*" in one), "")
            if path:
                file = path.replace("*", word, 1)
                return f"the lines of {file} have the tag {flow.source.tag_of(file)}"
    return "change the pattern, or the tag of the source"


def _untaken(pipeline: Pipeline, flows: Flows) -> Iterable[Diagnostic]:
    for name, some in flows.by_label.items():
        label = pipeline.labels[name]
        taken = [rule.pattern for rule in label.rules if rule.is_match]
        for flow in some:
            tag = beyond(flow.tags, taken)
            if tag is None or tag == "?" or name == ERROR:
                continue
            where = f" in label {name}" if name else ""
            if not flow.tags:
                message = f"{flow.shown} can come here: what no <match>{where} takes is dropped"
            elif flow.source is not None and is_literal(flow.shown):
                message = f"events with the tag {flow.shown} are dropped: no <match>{where} takes them"
            else:
                message = f"some events from here are dropped: no <match>{where} takes a tag such as {tag}"
            yield _note(message, flow.place, "write <match **> as the last one, with @type null if that is meant")


def _labels(pipeline: Pipeline, flows: Flows) -> Iterable[Diagnostic]:
    named: list[tuple[str, Place]] = [(source.label, source.place) for source in pipeline.sources]
    for rule in pipeline.rules:
        if rule.output is not None:
            named.extend((label, rule.place) for label in labels_of(rule.output))
        if isinstance(rule.filter, RewriteTag):
            named.extend((label, rule.place) for label in rule.filter.targets if label != SAME)
        if isinstance(rule.filter, Concat):
            named.append((rule.filter.timeout_label, rule.place))
    for missing, place in named:
        if missing not in _OWN_LABELS and missing not in pipeline.labels:
            hint = nearest(missing, pipeline.labels) or f"write <label {missing}> … </label>"
            yield _note(f"there is no label {missing}", place, hint, Level.ERROR)
    entered = {label for label, _ in named}
    for name, label in pipeline.labels.items():
        if name not in _OWN_LABELS and name not in entered and pipeline.complete:
            yield _note(f"nothing leads to label {name}", label.place, f"write @label {name} in a source or a relabel")
    for rule, path in flows.circles:
        circle = " → ".join(one or "the top" for one in path)
        yield _note(f"events go in a circle: {circle}", rule.place, "take one of them out", Level.ERROR)


def _shared(pipeline: Pipeline) -> Iterable[Diagnostic]:
    """Files that two plug-ins would write, and names that two have."""
    seen: dict[tuple[str, str], Place] = {}
    used: list[tuple[str, str, Place]] = []
    for source in pipeline.sources:
        used.append(("@id", source.id, source.place))
        if isinstance(source, TailInput) and source.pos_file:
            used.append(("pos_file", source.pos_file, source.place))
    for _, output in pipeline.outputs():
        used.extend(
            ("buffer path", one.buffer.path, one.place)
            for one in single_outputs(output, secondary=False)  # a secondary has the buffer of its output
            if one.buffer is not None and one.buffer.file and one.buffer.path
        )
    for kind, name, place in used:
        first = seen.setdefault((kind, name), place)
        if first is not place:
            message = f"the {kind} {name} is that of line {first.line} as well"
            yield _note(message, place, "each needs its own", Level.ERROR)


def _metrics(pipeline: Pipeline) -> Iterable[Diagnostic]:
    """Metrics of one name that are not the same: their series could not be joined."""
    seen: dict[str, tuple[RecordMetric, Place]] = {}
    for rule in pipeline.rules:
        outputs = single_outputs(rule.output) if rule.output is not None else ()
        sets = [one.metrics for one in (rule.filter, *outputs) if isinstance(one, Prometheus | PrometheusOutput)]
        for metric in (one for some in sets for one in some.metrics):
            first, place = seen.setdefault(metric.name, (metric, rule.place))
            if first != metric:
                message = (
                    f"the metric {metric.name} has another type, other labels or other buckets in line {place.line}"
                )
                yield _note(message, rule.place, "give both the same, or one another name", Level.ERROR)
