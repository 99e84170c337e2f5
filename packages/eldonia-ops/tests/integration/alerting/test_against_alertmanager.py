"""Our routing, matchers and templates against Alertmanager's own tool, where it is installed."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from required_tools import find_tool, requires_tool

import eldonia_ops
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.protocols.alertmanager.config import parse_alertmanager_config
from eldonia_ops.protocols.alertmanager.matcher_syntax import parse_matchers
from eldonia_ops.template import NotificationData, TemplateSet

AMTOOL = find_tool("amtool") or ""
pytestmark = requires_tool("amtool")
DEFAULTS = Path(eldonia_ops.__file__).parent / "defaults"
ENVIRONMENT = {"SLACK_WEBHOOK_URL": "https://slack.example/hook", "PAGERDUTY_ROUTING_KEY": "key"}


def amtool(*arguments):
    return subprocess.run([AMTOOL, *arguments], capture_output=True, text=True, timeout=20, check=False)


def shipped(tmp_path):
    text = (DEFAULTS / "alertmanager.yml").read_text("utf-8")
    for name, value in ENVIRONMENT.items():
        text = text.replace("${" + name + "}", value)
    (tmp_path / "templates").mkdir()
    shutil.copy(DEFAULTS / "templates" / "eldonia.tmpl", tmp_path / "templates")
    file = tmp_path / "alertmanager.yml"
    file.write_text(text, "utf-8")
    return file


def test_alertmanager_accepts_the_shipped_configuration(tmp_path):
    done = amtool("check-config", str(shipped(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 templates" in done.stdout


LABELS = {"severity": ["critical", "warning", "info"], "service": ["security", "pay", "web"], "team": ["a", "b", "ab"]}


def random_tree(rng, depth=0):
    routes = []
    for _ in range(rng.randint(1, 3)):
        name = rng.choice(list(LABELS))
        value = rng.choice(LABELS[name])
        matcher = rng.choice(
            [
                f'{name}="{value}"',
                f"{name}!={value}",
                f'{name}=~"{value}|x.*"',
                f'{name}!~"{value[:1]}.*"',
                f'{name}=""',
            ]
        )
        route = {"receiver": f"r{rng.randint(0, 5)}", "matchers": [matcher], "continue": rng.random() < 0.4}
        if depth < 2 and rng.random() < 0.5:
            route["routes"] = random_tree(rng, depth + 1)
        routes.append(route)
    return routes


@pytest.mark.parametrize("seed", range(4))
def test_routes_as_alertmanager_does(tmp_path, seed):
    rng = random.Random(seed)
    config = {
        "route": {"receiver": "r0", "routes": random_tree(rng)},
        "receivers": [{"name": f"r{number}"} for number in range(6)],
    }
    file = tmp_path / "am.yml"
    file.write_text(json.dumps(config), "utf-8")
    route = parse_alertmanager_config(file.read_text("utf-8"), kinds=built_in()).routing.route
    for _ in range(12):
        labels = {name: rng.choice(values) for name, values in LABELS.items() if rng.random() < 0.7}
        done = amtool("config", "routes", "test", f"--config.file={file}", *(f"{k}={v}" for k, v in labels.items()))
        assert done.returncode == 0, done.stderr
        ours = ",".join(item.receiver for item in route.match(Labels(labels)))
        assert ours == done.stdout.strip(), (config, labels)


@pytest.mark.parametrize(
    "labels", [{"service": "security", "severity": "warning"}, {"severity": "critical", "service": "payment"}]
)
def test_shipped_routes_as_alertmanager_does(tmp_path, labels):
    file = shipped(tmp_path)
    done = amtool("config", "routes", "test", f"--config.file={file}", *(f"{k}={v}" for k, v in labels.items()))
    config = parse_alertmanager_config(
        file.read_text("utf-8"),
        read_templates=lambda _: {"t": (DEFAULTS / "templates/eldonia.tmpl").read_text("utf-8")},
        kinds=built_in(),
    )
    assert [route.receiver for route in config.routing.route.match(labels)] == done.stdout.strip().split(",")


MATCHERS = [
    'a="b"',
    "a=b c",
    'a="x\\"y"',
    'a=~"b|c"',
    '{a="b",c!="d"}',
    "a",
    'a="b"c"',
    "a=~(",
    'a="b',
    "a=b,c=~d.*",
    'a=","',
]


def test_reads_the_same_matchers(tmp_path):
    for text in MATCHERS:
        config = {
            "route": {"receiver": "r", "routes": [{"matchers": [text]}]},
            "receivers": [{"name": "r"}],
        }
        file = tmp_path / "am.yml"
        file.write_text(json.dumps(config), "utf-8")
        accepted = amtool("check-config", str(file)).returncode == 0
        try:
            parse_matchers(text)
            ours = True
        except ValueError:
            ours = False
        assert ours == accepted, text


NOW = 1_767_323_045_000
DATA = {
    "receiver": "team",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Down", "service": "pay", "severity": "critical", "instance": "a"},
            "annotations": {"summary": "gateway is down", "description": "no answer"},
            "startsAt": "2026-01-02T03:03:05Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://g",
            "fingerprint": "",
        },
        {
            "status": "resolved",
            "labels": {"alertname": "Down", "service": "pay", "severity": "critical", "instance": "b"},
            "annotations": {"summary": "gateway is down"},
            "startsAt": "2026-01-02T03:03:05Z",
            "endsAt": "2026-01-02T03:04:04Z",
            "generatorURL": "",
            "fingerprint": "",
        },
    ],
    "groupLabels": {"alertname": "Down"},
    "commonLabels": {"alertname": "Down", "service": "pay", "severity": "critical"},
    "commonAnnotations": {"summary": "gateway is down"},
    "externalURL": "http://ops",
}
TEXTS = [
    '{{ template "slack.eldonia.title" . }}',
    '{{ template "slack.eldonia.text" . }}',
    '{{ template "slack.eldonia.grafana" . }}',
    '{{ template "slack.eldonia.security.title" . }}',
    '{{ template "slack.eldonia.security.text" . }}',
    '{{ template "pagerduty.eldonia.description" . }}',
    '{{ template "pagerduty.eldonia.clientURL" . }}',
    '{{ range .Alerts }}{{ .StartsAt.Format "Mon Jan _2 3:04:05.000 PM 2006 -07:00" }} {{ .EndsAt }};{{ end }}',
    "{{ (index .Alerts 1).EndsAt.Sub (index .Alerts 1).StartsAt }} {{ (index .Alerts 0).EndsAt.IsZero }}",
    "{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }},{{ end }}{{ .CommonLabels.missing }}|",
    '{{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}',
    '{{ reReplaceAll "(D)(.*)" "${2}-$1" .GroupLabels.alertname | toUpper | title }} {{ match "^Do" "Down" }}',
    '{{ stringSlice "a" "b" | join "+" }} {{ .Alerts.Firing | len }} {{ printf "%-6s|%q" "ab" .Status }}',
    "{{ range $i, $a := .Alerts }}{{ if $i }}, {{ end }}{{ $a.Labels.instance }}:{{ $a.Status }}{{ end }}",
    "{{ .Status.Nope }}",
    "{{ .Nope }}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_renders_as_alertmanager_does(tmp_path, text):
    file = tmp_path / "data.json"
    file.write_text(json.dumps(DATA), "utf-8")
    done = amtool(
        "template", "render", f"--template.glob={DEFAULTS}/templates/eldonia.tmpl", f"--template.text={text}",
        f"--template.data={file}",
    )  # fmt: skip
    templates = TemplateSet()
    templates.add((DEFAULTS / "templates" / "eldonia.tmpl").read_text("utf-8"), "eldonia.tmpl")
    alerts = [
        Alert(
            Labels(item["labels"]), Labels(item["annotations"]), starts_at=NOW - 60_000,
            ends_at=NOW - 1_000 if item["status"] == "resolved" else NOW + 1, generator_url=item["generatorURL"],
        )
        for item in DATA["alerts"]
    ]  # fmt: skip
    data = NotificationData(
        receiver="team", group_labels=DATA["groupLabels"], alerts=alerts, now=NOW, external_url="http://ops"
    )
    try:
        ours = templates.expand(text, data, NOW)
    except ValueError:
        assert done.returncode != 0, done.stdout
        return
    assert done.returncode == 0, done.stderr
    assert ours == done.stdout
