"""Fluentd's YAML to the same sections as ``fluent.conf``."""

from fluent_conf import HOST, FakeFiles, sections, texts

from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.pipeline.section import Section
from eldonia_ops.protocols.fluentd_config import Surroundings, read_fluent_yaml, read_pipeline_file

YAML = """
system:
  log_level: info
config:
  - source:
      $type: tail
      $label: "@app"
      path: /var/log/*.log
      tag: app.*
      parse:
        $type: json
  - label:
      $name: "@app"
      config:
        - filter:
            $tag: [app.**, b]
            $type: record_transformer
            record:
              host: !fluent/s "#{Socket.gethostname}"
              list: !fluent/json ["a", 1]
        - match:
            $tag: "**"
            $type: copy
            store:
              - {$type: stdout}
              - {$type: file, path: /x, buffer: {$arg: [tag, time], timekey: 3600}}
"""
CONF = """
<system>
  log_level info
</system>
<source>
  @type tail
  @label @app
  path /var/log/*.log
  tag app.*
  <parse>
    @type json
  </parse>
</source>
<label @app>
  <filter app.** b>
    @type record_transformer
    <record>
      host "#{Socket.gethostname}"
      list ["a", 1]
    </record>
  </filter>
  <match **>
    @type copy
    <store>
      @type stdout
    </store>
    <store>
      @type file
      path /x
      <buffer tag,time>
        timekey 3600
      </buffer>
    </store>
  </match>
</label>
"""


def read(text: str, files: dict[str, str] | None = None) -> tuple[Section, list[Diagnostic]]:
    problems: list[Diagnostic] = []
    around = Surroundings(env={"A": "b"}, hostname=HOST, files=FakeFiles(files or {}))
    return read_fluent_yaml(text.encode(), "/etc/fluent.yaml", around, problems), problems


def shape(section: Section) -> object:
    parameters = {name: str(one.value) for name, one in section.parameters.items()}
    return (section.name, section.argument, parameters, [shape(one) for one in section.sections])


def test_both_forms_are_one_tree():
    root, problems = read(YAML)
    assert problems == []
    assert [shape(one) for one in root.sections] == [shape(one) for one in sections(CONF)]
    assert root.sections[1].parameters["path"].place.line == 8


def test_included_lists():
    root, problems = read(
        "config:\n  - !include more.yaml\n  - match: {$tag: '**', $type: 'null'}\n",
        {"/etc/more.yaml": "- source: {$type: forward}\n"},
    )
    assert problems == []
    assert [(one.name, one.type, one.place.file) for one in root.sections] == [
        ("source", "forward", "/etc/more.yaml"),
        ("match", "null", "/etc/fluent.yaml"),
    ]


def test_faults():
    _, problems = read(
        """
config:
  - sauce: {}
  - source:
      path: !fluent/s "#{Dir.pwd}/x"
      other: "#{ENV['A']}"
  - !include gone.yaml
more: 1
"""
    )
    assert texts(problems) == [
        "3: there is no sauce",
        "5: Ruby is not run here: #{Dir.pwd}",
        "6: #{…} is taken as it is written",
        "7: !include gone.yaml: there is no such file",
        "8: there is no more",
    ]
    _, problems = read("config: [")
    assert len(problems) == 1


def test_a_file_that_includes_itself():
    _, problems = read("config:\n  - !include a.yaml\n", {"/etc/a.yaml": "- !include a.yaml\n"})
    assert [(one.file, one.message) for one in problems] == [
        ("/etc/a.yaml", "!include a.yaml: /etc/a.yaml includes itself")
    ]


def test_the_name_of_the_file_says_the_form():
    problems: list[Diagnostic] = []
    root = read_pipeline_file(b"config:\n  - source: {$type: x}\n", "a.yml", Surroundings(), problems)
    assert (root.sections[0].type, problems) == ("x", [])
