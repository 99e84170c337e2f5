"""Where a tag goes, and a sample through a pipeline."""

from fluent_conf import NOW_MS, pipeline

from eldonia_ops.pipeline.explain import explain
from eldonia_ops.pipeline.trial import changes, try_lines

TEXT = """
<source>
  @type tail
  path /var/log/*.log
  tag app.*
  path_key path
  @label @in
  <parse>
    @type multiline
    format_firstline /^[0-9]/
    format1 /^(?<n>[0-9]+) (?<message>.*)/
  </parse>
</source>
<label @in>
  <filter app.**>
    @type grep
    <exclude>
      key message
      pattern /drop/
    </exclude>
  </filter>
  <filter other>
    @type stdout
  </filter>
  <match app.**>
    @type copy
    <store>
      @type null
    </store>
    <store>
      @type relabel
      @label @out
    </store>
  </match>
</label>
<label @out>
  <match app.**>
    @type stdout
  </match>
</label>
"""


def test_every_rule_is_asked_in_order():
    found = explain(pipeline(TEXT), "app.var.log.a.log")
    assert [(one.label, one.kind, one.type, one.verdict) for one in found.asked] == [
        ("@in", "source", "tail", "gives"),
        ("@in", "filter", "grep", "applies"),
        ("@in", "filter", "stdout", "passes"),
        ("@in", "match", "copy", "takes"),
        ("@out", "match", "stdout", "takes"),
    ]
    assert found.taken


def test_what_nothing_takes():
    found = explain(pipeline(TEXT), "else", "@out")
    assert not found.taken
    assert found.asked[-1].why == "no match takes the tag in @out: the event is dropped"
    assert not explain(pipeline(TEXT), "else", "@gone").taken
    assert not explain(pipeline(TEXT), "else").taken


def test_a_sample_shows_every_step():
    graph = pipeline(TEXT)
    lines = ["1 one", "  more", "no", "2 drop me", "3 three"]
    trial = try_lines(graph, graph.sources[0], "app.x", lines, NOW_MS, path="/var/log/x.log")
    assert [one.read.text for one in trial.texts] == ["1 one\n  more\nno", "2 drop me", "3 three"]
    first = trial.texts[0]
    assert first.read.events[0].record == {"n": "1", "message": "one\n  more\nno"}
    assert [step.rule.type for step in first.steps] == ["grep", "copy"]
    assert first.deliveries[0].batch.events[0].record["path"] == "/var/log/x.log"
    assert trial.texts[1].steps[0].after == ()
    assert {rule.type: count for rule, count in trial.delivered().items()} == {"copy": 2}
    assert (trial.unread, trial.lost()) == ([], {})


def test_a_line_that_the_parser_cannot_read():
    graph = pipeline(TEXT)
    trial = try_lines(graph, graph.sources[0], "app.x", ["1one", "2 two"], NOW_MS)
    assert [(one.number, one.read.reason) for one in trial.unread] == [(1, "the formats do not match")]


def test_changes():
    before, after = (
        try_lines(pipeline(TEXT), pipeline(TEXT).sources[0], "app.x", [line], NOW_MS).texts[0].read.events[0]
        for line in ("1 one", "1 two")
    )
    assert [(one.name, one.before, one.after) for one in changes(before, after)] == [("message", "one", "two")]
