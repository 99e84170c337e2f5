"""What an output prepares at an Elasticsearch before its first document: templates, policies, the first index behind
an alias.

Names and defaults are those of fluent-plugin-elasticsearch
(https://github.com/uken/fluent-plugin-elasticsearch#index-templates).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.section import SectionReader

_DEFAULT_POLICY: Final[Mapping[str, Any]] = {
    "policy": {"phases": {"hot": {"actions": {"rollover": {"max_size": "50gb", "max_age": "30d"}}}}}
}
_FILE_FORM: Final = "must hold a JSON object"


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """An index template by the file that holds it."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Rollover:
    """An alias that is written to, and the index behind it that is made when there is no such alias: ``index`` with the
    day of ``date`` (``strftime``) and the number 000001."""

    alias: str
    index: str
    date: str = "%Y.%m.%d"

    def first_index(self, now_ms: int) -> str:
        """The name of the first index."""
        return f"{self.index}-{datetime.fromtimestamp(now_ms / 1_000, UTC).strftime(self.date)}-000001"


@dataclass(frozen=True, slots=True)
class IndexSetup:
    """``replacements`` are made in the text of each file (``customize_template``). ``legacy``: templates are put under
    ``_template``, else under ``_index_template``. ``template`` is one that follows from the settings. ``settings`` are
    added to each template; policies are bodies by name."""

    files: tuple[TemplateFile, ...] = ()
    replacements: tuple[tuple[str, str], ...] = ()
    template_name: str = ""
    template: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    overwrite: bool = False
    legacy: bool = True
    policies: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    policy_overwrite: bool = False
    rollover: Rollover | None = None

    def read(self, text: str) -> dict[str, Any]:
        """The body of a template from the text of its file.

        Raises:
            ValueError: it is no JSON object.
        """
        for found, put in self.replacements:
            text = text.replace(found, put)
        try:
            body = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{_FILE_FORM}: {error}") from None
        if not isinstance(body, dict):
            raise ValueError(_FILE_FORM)
        return self.completed(body)

    def completed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A template with ``settings``, where composable and legacy templates have them."""
        if not self.settings:
            return dict(body)
        inner = body if self.legacy else body.get("template", {})
        joined = {**inner, "settings": {**inner.get("settings", {}), **self.settings}}
        return joined if self.legacy else {**body, "template": joined}


def stream_setup(reader: SectionReader, name: str, kind: str) -> IndexSetup:
    """What a data stream needs: Elasticsearch makes one only where a template says so."""
    reader.ignore("data_stream_template_use_index_patterns_wildcard")
    policy = reader.string("data_stream_ilm_name")
    policies: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    if kind.startswith("elasticsearch") and (body := _policy(reader, "data_stream_ilm_policy")) is not None:
        policy = policy or f"{name}_policy"
        policies = ((policy, body),)
    if "${" in name or "%" in name:
        return IndexSetup()  # each stream would need a template of its own
    return IndexSetup(
        template_name=reader.string("data_stream_template_name") or f"{name}_template",
        template={"index_patterns": [f"{name}*"], "data_stream": {}, "priority": 200},
        settings={"index.lifecycle.name": policy} if policy else {},
        overwrite=reader.boolean("template_overwrite", False),
        legacy=False,
        policies=policies,
        policy_overwrite=reader.boolean("data_stream_ilm_policy_overwrite", False),
    )


def index_setup(reader: SectionReader, index: str, prefix: str) -> IndexSetup:
    """Templates, policies and rollover of an output to indices. ``prefix`` is that of ``logstash_format``, or empty."""
    files = [TemplateFile(str(name), str(path)) for name, path in reader.mapping("templates").items()]
    name, path = reader.string("template_name"), reader.string("template_file")
    if bool(name) != bool(path):
        reader.problem("a template needs template_name and template_file", "template_name" if name else "template_file")
    elif name:
        files.append(TemplateFile(name, path))
    lifecycle = reader.boolean("enable_ilm", False)
    policies: dict[str, Mapping[str, Any]] = {}
    for policy, body in reader.mapping("ilm_policies").items():
        if isinstance(body, dict):
            policies[str(policy)] = body
        else:
            reader.problem(f"the policy {policy} must be a JSON object", "ilm_policies")
    policy_id = reader.string("ilm_policy_id", "logstash-policy")
    written = _policy(reader, "ilm_policy")
    if lifecycle and policy_id not in policies:
        policies[policy_id] = written or _DEFAULT_POLICY
    alias = reader.string("deflector_alias")
    rollover = _rollover(reader, index, prefix, alias, lifecycle=lifecycle)
    for one in [*files, *([] if rollover is None else [rollover.alias])]:
        text = one if isinstance(one, str) else one.name
        if "${" in text or "%{" in text:
            reader.problem(f"{text}: a template or alias for each value of a placeholder is not supported")
    settings: dict[str, Any] = {}
    if lifecycle:
        settings = {"index.lifecycle.name": policy_id}
        if rollover is not None:
            settings["index.lifecycle.rollover_alias"] = rollover.alias
        if not files:
            reader.problem("enable_ilm has an effect on new indices only with template_name and template_file",
                           "enable_ilm", level=Level.WARNING)  # fmt: skip
    return IndexSetup(
        files=tuple(files),
        replacements=tuple((str(old), str(new)) for old, new in reader.mapping("customize_template").items()),
        settings=settings,
        overwrite=reader.boolean("template_overwrite", False),
        legacy=reader.boolean("use_legacy_template", True),
        policies=tuple(policies.items()),
        policy_overwrite=reader.boolean("ilm_policy_overwrite", False),
        rollover=rollover,
    )


def _rollover(reader: SectionReader, index: str, prefix: str, alias: str, *, lifecycle: bool) -> Rollover | None:
    wanted = reader.boolean("rollover_index", False) or lifecycle
    if alias and lifecycle:
        reader.problem("deflector_alias cannot be used with enable_ilm: the alias is the index name", "deflector_alias")
        alias = ""
    separator = reader.string("index_separator", "-")
    application = reader.string("application_name", "default")
    pattern = reader.string("index_date_pattern", "now/d")
    if not wanted:
        if alias:
            reader.problem("deflector_alias has an effect only with rollover_index or enable_ilm", "deflector_alias",
                           level=Level.WARNING)  # fmt: skip
        return None
    if pattern not in ("", "now/d"):
        reader.problem('index_date_pattern can be "now/d" or empty: rolled indices have the day', "index_date_pattern",
                       level=Level.WARNING)  # fmt: skip
    base = prefix or index
    return Rollover((alias or base).lower(), f"{base}{separator}{application}".lower())


def _policy(reader: SectionReader, name: str) -> Mapping[str, Any] | None:
    if reader.value(name) in (None, "", {}):
        return None
    body = reader.json(name)
    if body is not None and not isinstance(body, dict):
        reader.problem(f"{name} must be a JSON object", name)
        return None
    return body
