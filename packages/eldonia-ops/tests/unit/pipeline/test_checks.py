"""What is wrong with a pipeline as a whole."""

import pytest
from fluent_conf import built, pipeline, read, texts
from required_tools import requires_shared, shared_folder

from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.pipeline.checks import check_pipeline
from eldonia_ops.pipeline.explain import explain

SOURCE = (
    "<source>\n@type tail\npath /var/log/app/*.log\ntag app.*\npos_file /p\n<parse>\n@type none\n</parse>\n</source>\n"
)
NULL = "@type null\n</match>\n"


def findings(text: str) -> list[Diagnostic]:
    return check_pipeline(pipeline(text))


def test_a_good_one():
    assert findings(f"{SOURCE}<match app.**>\n{NULL}") == []


@requires_shared("seed")
def test_the_seed():
    folder = shared_folder("seed")
    assert folder is not None
    data = (folder / "fluent.conf").read_bytes()
    root, problems = read(data)
    assert problems == []
    found = check_pipeline(pipeline(data.decode()))
    assert texts(found) == [
        "23: <match eldonia.error> can never get an event: the tags are eldonia.var.log.eldonia.*.log (tail line 2)",
        "54: <match eldonia.**> can never get an event: <match eldonia.**> in line 38 takes all its tags first",
    ]
    hint = "the lines of /var/log/eldonia/error.log have the tag eldonia.var.log.eldonia.error.log"
    assert found[0].hint == hint
    assert {one.level for one in found} == {Level.WARNING}
    explanation = explain(pipeline(data.decode()), "eldonia.var.log.eldonia.app.log")
    assert [(one.place.line, one.verdict) for one in explanation.asked] == [
        (2, "gives"),
        (15, "applies"),
        (23, "passes"),
        (38, "takes"),
        (54, "not asked"),
    ]
    assert len(root.sections) == 5


def test_a_match_that_several_together_leave_nothing():
    source = "<source>\n@type forward\n</source>\n"
    found = findings(
        f"{source}<match app.a>\n{NULL}<match app.b.**>\n{NULL}<match app.{{a,b}}>\n{NULL}<match **>\n{NULL}"
    )
    unreachable = [one for one in texts(found) if "never" in one]
    assert unreachable == [
        "10: <match app.{a,b}> can never get an event: <match app.a> in line 4, <match app.b.**> in line 7 "
        "take all its tags first"
    ]


def test_a_filter_behind_the_match():
    found = findings(f"{SOURCE}<match app.**>\n{NULL}<filter app.var.**>\n@type grep\nregexp1 a b\n</filter>\n")
    assert texts(found) == [
        "13: <filter app.var.**> can never get an event: <match app.**> in line 10 takes all its tags first"
    ]
    assert found[0].hint == "put it before that: order counts"


def test_tags_that_nothing_takes():
    (found,) = findings(f"{SOURCE}<match app.var.log.app.web.log>\n{NULL}")
    assert found.line == 1
    assert found.message.startswith(
        "some events from here are dropped: no <match> takes a tag such as app.var.log.app."
    )
    (found,) = findings(
        f"<source>\n@type sample\ntag t\n</source>\n<source>\n@type sample\ntag u\n</source>\n<match u>\n{NULL}"
    )
    assert texts([found]) == ["1: events with the tag t are dropped: no <match> takes them"]


def test_a_source_that_can_have_any_tag():
    found = findings(f"<source>\n@type forward\n</source>\n<match a>\n{NULL}")
    assert "1: any tag can come here: what no <match> takes is dropped" in texts(found)
    assert findings(f"<source>\n@type sample\ntag a\n</source>\n<match **>\n{NULL}") == []


def test_labels():
    text = f"""<source>
@type sample
tag a
@label @gone
</source>
<match **>
@type relabel
@label @b
</match>
<label @a>
<match **>
{NULL}</label>
<label @b>
<match **>
@type copy
<store>
@type relabel
@label @c
</store>
</match>
</label>
<label @c>
<match **>
@type relabel
@label @b
</match>
</label>
<source>
@type sample
tag b
</source>
"""
    found = texts(findings(text))
    assert "1: there is no label @gone" in found
    assert "10: nothing leads to label @a" in found
    assert any(one.startswith("25: events go in a circle: the top → @b → @c → @b") for one in found), found


def test_files_that_two_share():
    output = "@type file\npath /x\n<buffer>\n@type file\npath /b\n</buffer>\n</match>\n"
    text = f"{SOURCE}{SOURCE}<match app.**>\n{output}<match **>\n{output}"
    found = texts(findings(text))
    assert "10: the pos_file /p is that of line 1 as well" in found
    assert "27: the buffer path /b is that of line 19 as well" in found


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("<source>\n@type exec\n</source>", "there is no input of type 'exec'", "use tail"),
        ("<source>\n@type tial\n</source>", "there is no input of type 'tial'", "did you mean 'tail'?"),
        ("<filter **>\n@type geoip\n</filter>", "there is no filter of type 'geoip'", "take it out"),
        ("<filter **>\n</filter>", "<filter> needs @type", "there are"),
        ("<match **>\n@type roundrobin\n</match>", "there is no output of type 'roundrobin'", "copy"),
        ("<match {a>\n@type null\n</match>", "<match {a>: the pattern {a has a { without }", ""),
        ("<sauce>\n</sauce>", "there is no section <sauce>", "did you mean 'source'?"),
        ("<label>\n</label>", "<label> needs a name", "<label @NAME>"),
        ("<label @a>\n<source>\n@type sample\ntag t\n</source>\n</label>", "<source> cannot be in a <label>", "top"),
    ],
)
def test_what_cannot_be_built(text: str, message: str, hint: str):
    _, problems = built(text)
    found = next(one for one in problems if one.level is Level.ERROR)
    assert found.message == message
    assert hint in found.hint
    assert found.line > 0


def test_what_is_left_out_is_a_warning_and_workers_are_one_process():
    found, problems = built(
        "<system>\nworkers 4\n</system>\n<source>\n@type monitor_agent\n</source>\n"
        "<worker 0>\n<match a>\n@type null\n</match>\n</worker>"
    )
    assert {one.level for one in problems} == {Level.WARNING}
    assert len(problems) == 3
    assert [rule.pattern.written for rule in found.labels[""].rules] == ["a"]
    assert found.complete


def test_findings_about_flows_wait_until_everything_can_be_read():
    found, _ = built("<source>\n@type exec\n</source>\n<match a>\n@type null\n</match>")
    assert check_pipeline(found) == []


def test_a_file_buffer_is_shared_with_the_secondary():
    output = "<match **>\n@type http\nendpoint http://h/\n<buffer>\n@type file\npath /b\n</buffer>\n"
    secondary = "<secondary>\n@type secondary_file\ndirectory /d\n</secondary>\n</match>\n"
    assert findings(f"{SOURCE}{output}{secondary}") == []


REWRITE = (
    "<match app.**>\n@type rewrite_tag_filter\n<rule>\nkey code\npattern /^5/\ntag {tag}\n{label}</rule>\n</match>\n"
)


def test_new_tags_are_compared_as_they_are_put_together():
    def found(tag: str, match: str) -> list[str]:
        return texts(findings(f"{SOURCE}{REWRITE.format(tag=tag, label='')}<match {match}>\n{NULL}"))

    assert found("alert.${tag}", "alert.**") == []
    assert found("web.$1", "{web,alert}.**") == []
    assert found("web.$1", "web") == [
        "10: some events from here are dropped: no <match> takes a tag such as web.a",
        "18: <match web> can never get an event: the tags are app.var.log.app.*.log (tail line 1), "
        "web.$1 (from line 10)",
    ]


def test_a_label_that_hands_events_back_under_another_tag_is_no_circle():
    inside = REWRITE.format(tag="done.$1", label="label @ROOT\n")
    relabel = "<match app.**>\n@type relabel\n@label @a\n</match>\n"
    text = f"{SOURCE}{relabel}<match done.**>\n{NULL}<label @a>\n{inside}</label>\n"
    assert findings(text) == []
    (circle,) = findings(text.replace("tag done.$1", "tag app.${tag}"))[-1:]
    assert texts([circle])[0].endswith("events go in a circle: the top → @a → the top")


def test_filters_that_change_nothing_are_left_out_with_a_warning():
    measured = "<filter **>\n@type numeric_monitor\n<metric>\nname a\n</metric>\n</filter>\n"
    one, root_problems = built(f"{SOURCE}{measured}<match **>\n{NULL}")
    assert one.complete
    assert [rule.type for rule in one.rules] == ["null"]
    assert [(problem.line, problem.level) for problem in root_problems] == [(11, Level.WARNING)]
    assert root_problems[0].message.startswith("numeric_monitor is left out: ")


def test_what_we_do_not_have_has_its_hint_inside_of_a_copy_too():
    _, problems = built(f"{SOURCE}<match **>\n@type copy\n<store>\n@type s3\n</store>\n</match>\n")
    assert [problem.hint for problem in problems if "s3" in problem.message] == ["use file, and copy the files"]
