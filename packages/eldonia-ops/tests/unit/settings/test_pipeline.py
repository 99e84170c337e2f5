"""The section ``pipeline`` of the settings is the same tree as fluent.conf."""

from pathlib import Path

import pytest
from fluent_conf import sections

from eldonia_ops.lint.pipeline import pipeline_of
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.pipeline.section import Section
from eldonia_ops.settings import Settings, parse_settings

YAML = """
pipeline:
  own_addresses: [elasticsearch:9200]
  outputs:
    - match: ["app.**", b]
      type: file
      path: /x
      buffer: {keys: [tag, time], timekey: 3600}
  filters:
    - match: "app.**"
      type: record_transformer
      remove_keys: [a, b]
      record: {env: "${WHERE:-dev}", part: "${tag_parts[1]}", type: t}
  sources:
    - {type: tail, path: /var/log/*.log, tag: "app.*", label: "@ROOT", parse: {type: json}}
  labels:
    "@ERROR":
      outputs: [{match: "**", type: copy, store: [{type: "null"}, {type: stdout}]}]
"""
CONF = """
<source>
  @type tail
  path /var/log/*.log
  tag app.*
  @label @ROOT
  <parse>
    @type json
  </parse>
</source>
<filter app.**>
  @type record_transformer
  remove_keys ["a", "b"]
  <record>
    env prod
    part ${tag_parts[1]}
    type t
  </record>
</filter>
<match app.** b>
  @type file
  path /x
  <buffer tag,time>
    timekey 3600
  </buffer>
</match>
<label @ERROR>
  <match **>
    @type copy
    <store>
      @type null
    </store>
    <store>
      @type stdout
    </store>
  </match>
</label>
"""


def settings(text: str, env: dict[str, str] | None = None) -> Settings:
    return parse_settings(text, Path("/srv/eldonia-ops.yml"), {"HOME": "/h", "WHERE": "prod", **(env or {})})


def shape(section: Section) -> object:
    parameters = {name: str(one.value).replace("'", '"').replace(", ", ",") for name, one in section.parameters.items()}
    return (section.name, section.argument, parameters, [shape(one) for one in section.sections])


def test_both_are_one_tree():
    loaded = pipeline_of(settings(YAML), {})
    assert [shape(one) for one in loaded.root.sections] == [shape(one) for one in sections(CONF)]
    assert not loaded.faulty, loaded.problems
    assert loaded.root.sections[0].parameters["path"].place.line == 15
    assert loaded.settings.own_addresses == ("elasticsearch:9200",)


def test_faults_have_their_places():
    with pytest.raises(ConfigError) as caught:
        settings("pipeline:\n  sources: {}\n  filters: [5]\n  labels: {x: {sauces: []}}\n  sauces: 1\n")
    assert [
        (one.line, one.message) for one in caught.value.diagnostics if "sources" in one.message or one.line > 2
    ] == [
        (2, "sources must be a list, not a mapping"),
        (3, "filter must be a mapping, not '5'"),
        (4, "a label has no sauces"),
        (5, caught.value.diagnostics[-1].message),
    ]


def test_placeholders_stay_and_variables_are_put_in():
    found = settings(YAML, {"WHERE": ""})
    (one,) = found.pipeline.filters
    values = {name: parameter.value for name, parameter in one.sections[0].parameters.items()}
    assert values == {"env": "dev", "part": "${tag_parts[1]}", "type": "t"}
    with pytest.raises(ConfigError, match="GONE is not set"):
        settings(YAML.replace("WHERE:-dev", "GONE"))


def test_none_is_none():
    assert not settings("").pipeline.used
    assert pipeline_of(settings(""), {}).problems == ()
