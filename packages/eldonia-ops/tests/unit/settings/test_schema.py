"""The JSON Schema against the reader: it takes what loads, and refuses what an editor should mark."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.cli.demo.files import Ports, write_files
from eldonia_ops.lint.kinds import FileKind, kind_of
from eldonia_ops.model.errors import Level
from eldonia_ops.settings import examine_settings
from eldonia_ops.settings.schema import settings_schema

ROOT = Path(__file__).resolve().parents[5]
SHIPPED = (files("eldonia_ops.defaults") / "eldonia-ops.yml").read_text("utf-8")
SCHEMA = settings_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def faults(text: str) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def examples() -> dict[str, str]:
    """Files of settings in the repository, and the blocks of YAML in its documents."""
    found = {"shipped": SHIPPED}
    for line in re.findall(r"^#(?! )(.*(?:\n#(?! |$).*|\n#  .*)*)", SHIPPED, re.MULTILINE):
        # An example of the shipped file, switched on.
        found[line[:40]] = re.sub(r"^#", "", line, flags=re.MULTILINE)
    for path in ROOT.glob("*/**/eldonia-ops*.yml"):
        if ".venv" not in path.parts and "node_modules" not in path.parts:
            found[str(path.relative_to(ROOT))] = path.read_text("utf-8")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S)):
            if kind_of("block.yml", block) is FileKind.SETTINGS:
                found[f"{path.name}-{number}"] = block
    return found


EXAMPLES = examples()


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    # An editor shows a text at each key of the top level.
    assert all(one.get("description") for one in SCHEMA["properties"].values())


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_examples_fit(text: str) -> None:
    assert faults(text) == []


def test_the_settings_of_the_demonstration_fit(tmp_path: Path) -> None:
    assert faults(write_files(tmp_path, Ports(1, 2, 3, 4), "ja").read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host: ",
        "listen: 9600",
        "host: {enabled: 'yes', interval: '${PACE}'}",
        "retention: {logs: 1d}",
        "limits: {request: 65536, series: '7'}",
        "state_file: /run/state",
        "postgresql: [{dsn_file: secret}]",
        "scrape: [{job: a, targets: 'h:1', basic_auth: {username: u, password_file: p}, labels: {a: 1}}]",
        "probes: [{name: a, url: 'tcp://h:1', expect_status: 200, labels: {}}]",
        "incidents: {opens: [critical], escalation: [{tier: a, after: 1h}, {tier: b, after: {high: 2h}}]}",
        "security: {windows: {failed_login: {threshold: 3}}}",
        "recovery: [{service: a, probe: p, action: {docker: shop}, maintenance: ['02:00-04:00']}]",
        "recovery: [{service: a, probe: p, action: {command: [x], environment: {A: 1}}}]",
        "recovery: [{service: a, probe: p, action: {webhook: {url_file: f, body: {a: [1]}}}}]",
        "recovery: [{service: a, probe: p, action: {process: {command: [x, 1], stop_timeout: 3s}}}]",
    ],
)
def test_what_fits(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("langauge: ja", "$"),
        ("language: fr", "$.language"),
        ("retention: {logs: soon}", "$.retention"),
        ("retention: {logs: 30}", "$.retention"),
        ("host: {enabled: maybe}", "$.host"),
        ("host: [1]", "$.host"),
        ("limits: {series: 0}", "$.limits"),
        ("limits: {request: lots}", "$.limits"),
        ("logs: [{service: a}]", "$.logs"),
        ("logs: {path: a}", "$.logs"),
        ("scrape: [{job: a}]", "$.scrape"),
        ("scrape: [{job: a, targets: ['http://x:1/']}]", "$.scrape"),
        ("scrape: [{job: a, targets: ['x:1'], basic_auth: {password: p}}]", "$.scrape"),
        ("scrape: [{job: a, targets: ['x:1'], labels: {__name__: b}}]", "$.scrape"),
        ("postgresql: [{instance: a}]", "$.postgresql"),
        ("probes: [{name: a, url: 'ftp://x'}]", "$.probes"),
        ("probes: [{name: a, url: 'http://x', expect_status: [99]}]", "$.probes"),
        ("probes: [{name: a, url: 'http://x', labels: {job: b}}]", "$.probes"),
        ("rules: {speed: 0}", "$.rules"),
        ("objectives: [{name: a, service: s, target: 100}]", "$.objectives"),
        ("security: {windows: {failed_logins: {}}}", "$.security"),
        ("security: {windows: {failed_login: {threshold: 1001}}}", "$.security"),
        ("incidents: {opens: {sev1: grave}}", "$.incidents"),
        ("incidents: {response_targets: {grave: 1h}}", "$.incidents"),
        ("incidents: {escalation: [{after: 1h}]}", "$.incidents"),
        ("recovery: [{service: a, probe: p}]", "$.recovery"),
        ("recovery: [{service: a, probe: p, action: {systemd: a, docker: b}}]", "$.recovery"),
        ("recovery: [{service: a, probe: p, action: {command: rm -rf /}}]", "$.recovery"),
        ("recovery: [{service: a, probe: p, action: {webhook: {method: GET, url: 'http://x'}}}]", "$.recovery"),
    ],
)
def test_what_is_marked(text: str, where: str) -> None:
    found = faults(text)
    assert found
    assert found[0].startswith(where)


def test_defaults_are_in_it() -> None:
    limits = SCHEMA["properties"]["limits"]["anyOf"][0]["properties"]
    assert limits["request"]["default"] == "16MiB"
    assert SCHEMA["properties"]["scrape"]["anyOf"][0]["items"]["properties"]["interval"]["default"] == "15s"
    assert SCHEMA["properties"]["state"]["default"] == "sqlite"


KEYS = ["path", "job", "targets", "name", "url", "interval", "timeout", "service", "labels", "enabled", "dsn", "speed"]
SECTIONS = [key for key in SCHEMA["properties"] if not key.endswith("_file")]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2000),
    st.sampled_from(
        ["", "15s", "1h", "a:1", "http://x/", "tcp://x:1", "chdb", "sqlite", "7", "yes", "16MiB", "${A:-5s}"]
    ),
    st.text("ab:/$1 ", max_size=5),
)
FIELDS = st.dictionaries(st.sampled_from(KEYS), SCALARS | st.lists(SCALARS, max_size=2), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SECTIONS), SCALARS | FIELDS | st.lists(FIELDS, max_size=2))
def test_whatever_loads_fits(section: str, value: object) -> None:
    text = json.dumps({section: value})
    _, found = examine_settings(text, Path("/x/eldonia-ops.yml"), {"HOME": "/h"})
    if not any(item.level is Level.ERROR for item in found):
        assert faults(text) == []


def test_every_number_has_bounds_on_both_sides() -> None:
    def numbers(schema: object, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(schema, dict):
            if schema.get("type") in ("integer", "number"):
                yield where, schema
            for key, part in schema.items():
                yield from numbers(part, f"{where}/{key}")
        elif isinstance(schema, list):
            for part in schema:
                yield from numbers(part, where)

    found = dict(numbers(SCHEMA, ""))
    assert len(found) > 20
    for where, schema in found.items():
        assert "minimum" in schema or "exclusiveMinimum" in schema, where
        assert "maximum" in schema or "exclusiveMaximum" in schema, where
