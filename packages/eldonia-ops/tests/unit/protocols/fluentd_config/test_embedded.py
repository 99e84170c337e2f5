"""The little that is read of Ruby."""

import contextlib

import pytest
from fluent_conf import HOST
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.section import Place
from eldonia_ops.protocols.fluentd_config.embedded import USE_DEFAULT, code_end, evaluate
from eldonia_ops.protocols.fluentd_config.faults import ConfigSyntaxError
from eldonia_ops.protocols.fluentd_config.surroundings import Surroundings

AROUND = Surroundings(env={"SET": "x", "EMPTY": ""}, hostname=HOST, worker_id="0")


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("ENV['SET']", "x"),
        ('ENV["SET"]', "x"),
        ("ENV['GONE']", None),
        ("ENV['GONE'] || 'a'", "a"),
        ("ENV['EMPTY'] || 'a'", ""),  # an empty text is true in Ruby
        ("ENV['GONE'] || ENV['SET'] || 'a'", "x"),
        ("ENV.fetch('SET')", "x"),
        ("ENV.fetch('GONE', 'a')", "a"),
        ("ENV.fetch('GONE') { 'a' }", "a"),
        ("ENV['SET'] || ENV.fetch('GONE')", "x"),
        ("(ENV['GONE'] || 'b')", "b"),
        ("Socket.gethostname", HOST),
        ("Socket.gethostname()", HOST),
        ("hostname", HOST),
        ("worker_id", "0"),
        ("use_nil", None),
        ("ENV['GONE'] || use_nil", None),
        ("use_default", USE_DEFAULT),
        ("5", "5"),
        ("ENV['GONE'] || true", "true"),
        ("ENV['GONE'] || false", "false"),
        ("'https://' + ENV['SET'] + ':' + ENV.fetch('GONE', '1') + '/api'", "https://x:1/api"),
        ("ENV['SET'] || 'a' + ENV.fetch('GONE') + 'b'", "x"),
    ],
)
def test_what_is_read(code: str, value: object):
    assert evaluate(code, AROUND, Place()) == value


@pytest.mark.parametrize(
    ("code", "way"),
    [
        ("Dir.pwd", "write the path itself"),
        ("File.join(Dir.pwd, 'a')", "write the path itself"),
        ("Socket.ip_address_list.first", "write the address"),
        ("Time.now.strftime('%Y')", "<buffer time>"),
        ("`hostname`", "commands are never run"),
        ("ENV['A'] ? 'b' : 'c'", "|| 'default'"),
        ("ENV['A'].downcase", "set the variable to the text"),
        ("1 + 1", "write the value itself"),
        ("", "write the value itself"),
        ("File.read('/etc/x')", "environment variable"),
    ],
)
def test_other_ruby_is_refused_with_a_way(code: str, way: str):
    with pytest.raises(ConfigSyntaxError) as caught:
        evaluate(code, AROUND, Place("f", 3))
    found = caught.value.diagnostic
    assert (found.file, found.line) == ("f", 3)
    assert "Ruby is not run here" in found.message
    assert way in found.hint


def test_a_variable_that_has_to_be_set():
    with pytest.raises(ConfigSyntaxError, match="the environment variable GONE is not set"):
        evaluate("ENV.fetch('GONE')", AROUND, Place())


def test_the_end_of_code():
    text = "a } '}' { \"}\" } x } rest"
    assert code_end("ENV['}'] } x", 0) == 9
    assert code_end("f { a } } x", 0) == 8
    assert code_end(text, 0) == 2
    assert code_end("'", 0) == -1


@given(st.text(max_size=60))
def test_any_code_is_read_or_refused(code: str):
    with contextlib.suppress(ConfigSyntaxError):
        evaluate(code, AROUND, Place())


@pytest.mark.parametrize("code", ["'a' + 1", "true + 'a'", "nil + 'a'", "'a' +", "false || 'a'"])
def test_sums_and_choices_that_ruby_refuses_or_sees_otherwise(code: str):
    with pytest.raises(ConfigSyntaxError, match="Ruby is not run here"):
        evaluate(code, AROUND, Place())


def test_a_variable_that_is_not_set_is_no_part_of_a_sum():
    with pytest.raises(ConfigSyntaxError, match="not set is added to a text"):
        evaluate("'a' + ENV['GONE']", AROUND, Place())
