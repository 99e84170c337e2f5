import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols import integration_fields as declare
from eldonia_ops.protocols.alertmanager.values import ConfigValues
from eldonia_ops.protocols.section_reader import SectionReader
from eldonia_ops.protocols.yaml_document import Problems, load
from eldonia_ops.template import TemplateSet


@dataclass(frozen=True, slots=True)
class Everything:
    name: str = declare.text(required=True)
    send_resolved: bool = declare.boolean(True)
    tags: tuple[str, ...] = declare.texts(("a",))
    title: str = declare.template("{{ .Status }}")
    class_: str = declare.template()
    details: tuple[tuple[str, str], ...] = declare.templates((("x", "1"), ("y", "2")))
    site: str = declare.address("https://site.example/")
    token: Credential = declare.secret(required=True)
    hook: Credential = declare.secret_address()
    count: int = declare.integer(3, minimum=1, maximum=5)
    timeout: int = declare.duration(10_000, minimum=1_000, maximum=60_000)
    http: HttpConfig = declare.http()
    untouched: int = 7


def read(text: str, environment: dict[str, str] | None = None) -> tuple[Everything | None, list[str]]:
    problems = Problems("am.yml")
    node = load(text, "am.yml", problems)
    assert node is not None
    values = ConfigValues(problems, TemplateSet(), environment, lambda path: f"conf/{path}")
    section = SectionReader(node, values, "x_configs of receiver 'r'")
    found: dict[str, Any] = section.declared(Everything)
    section.done()
    return Everything(**found) if "name" in found else None, [str(item) for item in problems.cleaned()]


def test_what_is_not_written_has_its_default() -> None:
    config, faults = read("{name: n, token_file: t}")
    assert faults == []
    assert config == Everything(name="n", token=Credential(file="conf/t"))
    assert config.timeout == 10_000


def test_every_type_is_read() -> None:
    config, faults = read(
        "name: n\nsend_resolved: false\ntags: [b, c]\ntitle: t\nclass: k\ndetails: {y: '3', z: '4'}\n"
        "site: http://other.example/\ntoken: hunter2\nhook: '${HOOK}'\ncount: 5\ntimeout: 1m\n"
        "http_config: {follow_redirects: false}\n",
        {"HOOK": "https://hook.example/"},
    )
    assert faults == []
    assert config == Everything(
        "n", False, ("b", "c"), "t", "k", (("x", "1"), ("y", "3"), ("z", "4")), "http://other.example/",
        Credential(Secret("hunter2")), Credential(Secret("https://hook.example/")), 5, 60_000,
        HttpConfig(follow_redirects=False),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{token: t}", "am.yml:1:1: error: x_configs of receiver 'r' needs name"),
        ("{name: n}", "am.yml:1:1: error: x_configs of receiver 'r' needs token or token_file"),
        ("name: n\ntoken: t\ntoken_file: u", "am.yml:2:8: error: x_configs of receiver 'r' has both token and"),
        ("name: n\ntoken: t\nhook: ftp://x/", "am.yml:3:7: error: hook must be an http:// or https:// address"),
        ("name: n\ntoken: t\nsite: nowhere", "am.yml:3:7: error: site must be an http:// or https:// address, not"),
        ("name: n\ntoken: t\ntitle: '{{ .Status '", "am.yml:3:"),
        ("name: n\ntoken: t\ntitle: '{{ template \"gone\" . }}'", "template 'gone' is not defined"),
        ("name: n\ntoken: t\ncount: 0", "am.yml:3:8: error: count must be a whole number, not '0' (at least 1)"),
        ("name: n\ntoken: t\ncount: 6", "am.yml:3:8: error: count must be at most 5, not '6'"),
        ("name: n\ntoken: t\ntimeout: 500ms", "am.yml:3:10: error: timeout must be at least 1s, not '500ms'"),
        ("name: n\ntoken: t\ntimeout: 1h", "am.yml:3:10: error: timeout must be at most 1m, not '1h'"),
        ("name: n\ntoken: t\nsend_resolved: maybe", "am.yml:3:16: error: send_resolved must be true or false"),
        ("name: n\ntoken: t\ntags: a", "am.yml:3:7: error: tags must be a list"),
        ("name: n\ntoken: t\nuntouched: 8", "am.yml:3:1: error: unknown key 'untouched' in x_configs of receiver"),
        ("name: n\ntoken: t\nhttp_config: {nope: 1}", "am.yml:3:15: error: unknown key 'nope' in http_config"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text: str, fault: str) -> None:
    _, faults = read(text)
    assert any(fault in found for found in faults), faults


def test_a_variable_that_is_not_set_is_a_warning_and_keeps_the_rest() -> None:
    config, [fault] = read("{name: n, token: '${TOKEN}'}", {})
    assert config is not None
    assert config.token.missing == "the environment variable TOKEN is not set"
    assert "warning" in fault


KEYS = st.sampled_from(["name", "token", "count", "tags", "details", "http_config", "zzz"])
VALUES = st.integers() | st.booleans() | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=9)


@given(st.dictionaries(KEYS, VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(KEYS, VALUES, max_size=3)))
def test_nothing_that_is_written_raises(values: dict[str, object]) -> None:
    read(json.dumps(values))
