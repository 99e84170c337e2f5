"""From sections to a pipeline: every plug-in is made, and what is wrong is noted with its place."""

from typing import Final

from eldonia_ops.model.errors import Diagnostic, Level, nearest
from eldonia_ops.pipeline.filters import filter_of
from eldonia_ops.pipeline.graph import TOP, Label, Pipeline, Rule
from eldonia_ops.pipeline.inputs import Input, input_of
from eldonia_ops.pipeline.other_plugins import LEFT_OUT_FILTERS, LEFT_OUT_INPUTS
from eldonia_ops.pipeline.outputs import output_of
from eldonia_ops.pipeline.rewriters import REWRITERS, rewriter_of
from eldonia_ops.pipeline.section import Section, SectionReader
from eldonia_ops.pipeline.tag_pattern import TagPattern

MAX_RULES: Final = 10_000
_SECTIONS: Final = ("source", "filter", "match", "label", "system", "worker")
_SYSTEM: Final = (
    "root_dir", "log_level", "suppress_repeated_stacktrace", "ignore_repeated_log_interval",
    "ignore_same_log_interval", "emit_error_log_interval", "suppress_config_dump", "without_source",
    "with_source_only", "rpc_endpoint", "enable_get_dump", "process_name", "enable_msgpack_time_support",
    "enable_input_metrics", "enable_size_metrics", "enable_jit", "file_permission", "dir_permission",
    "strict_config_value", "disable_shared_socket", "restart_worker_interval", "allow_unknown_tags",
    "config_include_dir", "log_event_verbose", "max_specification_size", "umask",
)  # fmt: skip


def build_pipeline(root: Section, problems: list[Diagnostic], *, hostname: str = "") -> Pipeline:
    """The pipeline that the sections of a configuration describe. ``hostname`` is that of the machine.

    What could be made is returned even when there are errors in ``problems``: it can be looked at, and must not run.
    """
    return _Builder(problems, hostname).build(root)


class _Builder:
    def __init__(self, problems: list[Diagnostic], hostname: str) -> None:
        self._problems = problems
        self._hostname = hostname
        self._count = 0
        self._left_out = 0

    def build(self, root: Section) -> Pipeline:
        for parameter in root.parameters.values():
            message = f"{parameter.name} is written outside of every section: it has no effect"
            self._note(message, parameter, level=Level.WARNING)
        # As in Fluentd the sections of workers come behind all others.
        sections = [section for section in root.sections if section.name != "worker"]
        for worker in root.named("worker"):
            sections += worker.sections
            message = "this platform is one process: what is in <worker> runs in it"
            self._note(message, worker, level=Level.WARNING)
        sources: list[Input] = []
        rules: list[Section] = []
        labels: dict[str, Label] = {}
        for section in sections:
            match section.name:
                case "source":
                    found = input_of(SectionReader(section, self._problems))
                    sources += [found] if found is not None else []
                    self._left_out += section.type in LEFT_OUT_INPUTS
                case "filter" | "match":
                    rules.append(section)
                case "label":
                    self._label(section, labels)
                case "system":
                    self._system(section)
                case _:
                    hint = nearest(section.name, _SECTIONS) or f"there are {', '.join(_SECTIONS)}"
                    self._note(f"there is no section <{section.name}>", section, hint=hint)
        written = sum(section.name == "source" for section in sections)
        top = Label(TOP, self._rules(rules), root.place)
        made = {TOP: top, **labels}
        broken = any(not (rule.filter or rule.output) for label in made.values() for rule in label.rules)
        return Pipeline(tuple(sources), made, complete=not broken and len(sources) == written - self._left_out)

    def _label(self, section: Section, labels: dict[str, Label]) -> None:
        name = section.argument.strip()
        if not name:
            self._note("<label> needs a name", section, hint="<label @NAME>")
            return
        if name == "@ROOT":
            self._note("@ROOT is the top itself: no label may be called so", section)
            return
        inside = [one for one in section.sections if one.name in ("filter", "match")]
        for one in section.sections:
            if one not in inside:
                self._note(f"<{one.name}> cannot be in a <label>", one, hint="write it at the top")
        label = Label(name, self._rules(inside), section.place)
        if name in labels:
            first = labels[name]
            message = (
                f"<label {name}> is written twice: its rules follow those of {first.place.file}:{first.place.line}"
            )
            self._note(message, section, level=Level.WARNING)
            label = Label(name, (*first.rules, *label.rules), first.place)
        labels[name] = label

    def _rules(self, sections: list[Section]) -> tuple[Rule, ...]:
        return tuple(rule for section in sections if (rule := self._rule(section)) is not None)

    def _rule(self, section: Section) -> Rule | None:
        if self._count >= MAX_RULES:
            if self._count == MAX_RULES:
                self._note(f"more than {MAX_RULES} filters and matches", section)
            self._count += 1
            return None
        try:
            pattern = TagPattern(section.argument)
        except ValueError as error:
            self._note(f"<{section.name} {section.argument}>: {error}", section)
            return None
        number = self._count
        self._count += 1
        reader = SectionReader(section, self._problems)
        kind = section.type
        if section.name == "filter" and kind in LEFT_OUT_FILTERS:
            reader.problem(f"{kind} is left out: {LEFT_OUT_FILTERS[kind]}", "@type", level=Level.WARNING)
            return None
        rule = Rule(section.name, kind, pattern, number, section.place)
        if section.name == "filter":
            return self._with(rule, filter=filter_of(reader, self._hostname))
        if kind in REWRITERS:
            return self._with(rule, filter=rewriter_of(reader, self._hostname))
        return self._with(rule, output=output_of(reader))

    def _with(self, rule: Rule, **made: object) -> Rule:
        return Rule(rule.kind, rule.type, rule.pattern, rule.number, rule.place, **made)  # type: ignore[arg-type]

    def _system(self, section: Section) -> None:
        reader = SectionReader(section, self._problems)
        reader.ignore(*_SYSTEM)
        if reader.integer("workers", 1, minimum=1) > 1:
            message = "this platform is one process: workers has no effect"
            reader.problem(message, "workers", level=Level.WARNING)
        for name in ("log", "counter_server", "counter_client", "metrics", "source_only_buffer"):
            reader.sections(name)
        reader.finish()

    def _note(self, message: str, at: object, *, hint: str = "", level: Level = Level.ERROR) -> None:
        place = at.place  # type: ignore[attr-defined]
        self._problems.append(Diagnostic(message, place.file, place.line, hint=hint, level=level))
