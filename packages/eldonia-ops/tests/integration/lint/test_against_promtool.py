"""Rule files that are accepted and refused, against Prometheus' own tool."""

import random
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from required_tools import find_tool, requires_shared, requires_tool, shared_folder

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.protocols.prometheus.rules import parse_rule_file
from eldonia_ops.protocols.text_file import read_text_file

PROMTOOL = find_tool("promtool") or ""
pytestmark = requires_tool("promtool")

HEAD = "groups:\n- name: g\n  rules:\n"
FILES = {
    "empty": "",
    "empty groups": "groups: []\n",
    "null groups": "groups:\n",
    "not a mapping": "- a\n",
    "group without rules": "groups: [{name: g}]",
    "group without name": "groups: [{rules: []}]",
    "two groups of one name": "groups: [{name: g, rules: []}, {name: g, rules: []}]",
    "unknown key of a file": "groups: []\nrules: []\n",
    "unknown key of a group": "groups: [{name: g, rule: []}]",
    "unknown key of a rule": HEAD + "  - {record: a, expr: up, fro: 5m}\n",
    "recording": HEAD + "  - {record: a, expr: up}\n",
    "alerting": HEAD + "  - {alert: A, expr: up == 0, for: 5m, labels: {a: b}, annotations: {c: d}}\n",
    "both": HEAD + "  - {record: a, alert: A, expr: up}\n",
    "neither": HEAD + "  - {expr: up}\n",
    "no expression": HEAD + "  - {record: a}\n",
    "empty expression": HEAD + "  - {record: a, expr: ''}\n",
    "bad expression": HEAD + "  - {record: a, expr: 'sum('}\n",
    "range vector": HEAD + "  - {record: a, expr: 'up[5m]'}\n",
    "string": HEAD + "  - {record: a, expr: '\"x\"'}\n",
    "number": HEAD + "  - {record: a, expr: 1}\n",
    "bad record name": HEAD + "  - {record: a-b, expr: up}\n",
    "for of a recording rule": HEAD + "  - {record: a, expr: up, for: 5m}\n",
    "annotations of a recording rule": HEAD + "  - {record: a, expr: up, annotations: {a: b}}\n",
    "labels of a recording rule": HEAD + "  - {record: a, expr: up, labels: {a: b}}\n",
    "bad label name": HEAD + "  - {alert: A, expr: up, labels: {'a-b': c}}\n",
    "reserved label name": HEAD + "  - {alert: A, expr: up, labels: {__name__: c}}\n",
    "bad annotation name": HEAD + "  - {alert: A, expr: up, annotations: {'a b': c}}\n",
    "template": HEAD + "  - {alert: A, expr: up, annotations: {a: '{{ $value | humanize }}'}}\n",
    "unclosed template": HEAD + "  - {alert: A, expr: up, annotations: {a: '{{ $value'}}\n",
    "pipe that leads nowhere": HEAD + "  - {alert: A, expr: up, annotations: {a: '{{ $value | }} {{ ($value|) }}'}}\n",
    "pipe from nowhere": HEAD + "  - {alert: A, expr: up, annotations: {a: '{{ | humanize }}'}}\n",
    "assignment": HEAD + "  - {alert: A, expr: up, annotations: {a: '{{ $x := 1 }}{{ $x = 2 }}{{ $x:=3 }}'}}\n",
    "assignment without a space": HEAD + "  - {alert: A, expr: up, annotations: {a: '{{ $x := 1 }}{{ $x=2 }}'}}\n",
    "two pipes": HEAD + "  - {alert: A, expr: up, annotations: {a: '{{ $value || humanize }}'}}\n",
    "null key": HEAD + "  - {record: a, expr: up, ~: b}\n",
    "template of an unknown function": HEAD + "  - {alert: A, expr: up, annotations: {a: '{{ nope }}'}}\n",
    "template of an unknown variable": HEAD + "  - {alert: A, expr: up, annotations: {a: '{{ $nope }}'}}\n",
    "bad duration": HEAD + "  - {alert: A, expr: up, for: 5 minutes}\n",
    "a number as duration": HEAD + "  - {alert: A, expr: up, for: 5}\n",
    "interval": "groups: [{name: g, interval: 1m30s, limit: 3, rules: []}]",
    "interval of zero": "groups: [{name: g, interval: 0s, rules: []}]",
    "limit as text": "groups: [{name: g, limit: many, rules: []}]",
    "limit too large": "groups: [{name: g, limit: 0xffffffffffffffffff, rules: []}]",
    "largest limit": "groups: [{name: g, limit: 9223372036854775807, rules: []}]",
    "key twice": HEAD + "  - {record: a, expr: up, expr: down}\n",
    "group key twice": "groups: [{name: g, name: h, rules: []}]",
    "merge key": "x: &x {a: b}\ngroups: []\n",
    "merged labels": HEAD
    + "  - {alert: A, expr: up, labels: &l {a: b}}\n"
    + "  - {alert: B, expr: up, labels: {<<: *l, c: d}}\n",
    "second document": "groups: []\n---\nnonsense: [\n",
    "tabs": "groups:\n\t- name: g\n",
    "unclosed": "groups: [",
    "list as label": HEAD + "  - {alert: A, expr: up, labels: {a: [b]}}\n",
    "null label": HEAD + "  - {alert: A, expr: up, labels: {a: }}\n",
    "number as label": HEAD + "  - {alert: A, expr: up, labels: {a: 5}}\n",
    "boolean as label": HEAD + "  - {alert: A, expr: up, labels: {a: true}}\n",
    "alert of any name": HEAD + "  - {alert: 'A b c! é', expr: up}\n",
    "empty alert": HEAD + "  - {alert: '', expr: up}\n",
    "unknown alias": "groups: *a\n",
    "byte order mark": "\ufeffgroups: []\n",
    "nul": "groups: []\0\n",
    "directive": "%YAML 1.1\n---\ngroups: []\n",
    "block text": HEAD + "  - record: a\n    expr: |\n      sum by (a) (\n        up\n      )\n",
    "unicode escape": HEAD + '  - {alert: "A\\u00e9", expr: "up{a=\\"\\\\u00e9\\"}"}\n',
}  # fmt: skip
NEWER = re.compile(
    r"invalid (?:recording rule|label|annotation) name: .|parse error: missing unit character in duration"
    r"|parse error: unexpected number .* in offset, expected duration"
    r"|parse error: duration must be greater than 0"
)
"""What promtool refuses because it is older than what we follow: Prometheus 3 takes names of any characters, and
numbers of seconds for durations, and an offset of nothing."""
STRICTER = re.compile(r"needs an instant vector or a scalar, this is a|name: ''|unknown key '…'|in annotation :")
"""What promtool lets pass and we refuse: an expression that gives an error at each evaluation, and a key that is null,
which Prometheus leaves out without a word."""


def ours(text: str) -> list[str]:
    """The faults that we find."""
    try:
        parse_rule_file(text, "rules.yml")
    except ConfigError as error:
        return [item.message for item in error.diagnostics]
    return []


def theirs(paths: Iterable[Path]) -> dict[str, list[str]]:
    """What promtool finds wrong with each file, in one call: it looks at every file, whatever the others are."""
    listed = [str(path) for path in paths]
    done = subprocess.run(
        [PROMTOOL, "check", "rules", "--lint=none", *listed],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    looked_at = re.findall(r"^Checking (.*)$", done.stdout, re.MULTILINE)
    assert looked_at == listed, done.stdout[:2_000]
    found: dict[str, list[str]] = {path: [] for path in listed}
    for line in done.stdout.splitlines():
        path, colon, reason = line.partition(": ")
        if colon and path in found:
            found[path].append(reason)
    refused = sum(bool(reasons) for reasons in found.values())
    assert refused + len(re.findall(r"^  SUCCESS", done.stdout, re.MULTILINE)) == len(listed)
    return found


def differences(texts: Mapping[Path, str]) -> list[str]:
    """Files about which the verdicts differ for another reason than those above."""
    found: list[str] = []
    for path, reasons in theirs(texts).items():
        text = texts[Path(path)]
        faults = ours(text)
        if bool(faults) == bool(reasons):
            continue
        is_known = all(map(NEWER.search, reasons)) if reasons else all(map(STRICTER.search, faults))
        if not is_known:
            found.append(f"ours: {faults}, promtool: {reasons}\n{text}")
    return found


def written(folder: Path, texts: Iterable[str]) -> dict[Path, str]:
    found: dict[Path, str] = {}
    for number, text in enumerate(texts):
        path = folder / f"{number}.yml"
        path.write_text(text, "utf-8")
        found[path] = text
    return found


def test_small_files(tmp_path: Path) -> None:
    assert differences(written(tmp_path, FILES.values())) == []


@requires_shared("rules-corpus")
def test_public_files() -> None:
    folder = shared_folder("rules-corpus")
    assert folder is not None
    texts = {path: read_text_file(path) for path in sorted(folder.rglob("*.yml"))}
    assert len(texts) > 100
    assert differences(texts) == []


WHOLE = """groups:
- name: shop
  interval: 30s
  rules:
  - record: job:requests:rate5m
    expr: sum by (job) (rate(http_requests_total{code=~"5.."}[5m] offset 1m))
  - alert: HighErrorRate
    expr: job:requests:rate5m / on (job) group_left () up > 0.05
    for: 10m
    labels:
      severity: critical
    annotations:
      summary: "{{ $labels.job }}: {{ $value | humanizePercentage }}"
"""


@pytest.mark.parametrize("seed", range(3))
def test_slips_of_the_keyboard(tmp_path: Path, seed: int) -> None:
    """One or two characters of a sound file put in, left out or doubled: what promtool refuses is refused."""
    rng = random.Random(seed)
    texts: list[str] = []
    for _ in range(250):
        text = WHOLE
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(len(text))
            put = rng.choice(["", "", *"-:[]{}(),\"' #&*|>%~=$aA0.\n"])
            text = text[:at] + put + text[at + rng.randint(0, 1) :]
        texts.append(text)
    assert differences(written(tmp_path, texts)) == []
