"""Templates of rules that ask queries, in the running service and in Prometheus' own tool, where it is installed."""

import asyncio
import json
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from required_tools import find_tool, requires_tool
from service_world import MINUTE, open_world

PROMTOOL = find_tool("promtool") or ""
pytestmark = requires_tool("promtool")

SERIES = {
    'up{job="shop", instance="b:1"}': 1,
    'up{job="shop", instance="a:1"}': 0,
    'up{job="db", instance="c:1"}': 1,
    'load{instance="a:1"}': 2.5,
    'load{instance="b:1"}': 0.1,
}
TEXTS = [
    '{{ query "up" | len }} {{ query "sum(up)" | first | value }}',
    '{{ printf "load{instance=%q}" $labels.instance | query | first | value | humanize }}',
    '{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }} {{ .Labels.job }};{{ end }}',
    # No two of these values are equal: Prometheus leaves the order of equal ones open, and it differs from run to run.
    "{{ range $i, $s := query `sort_desc(load or up{job='shop'})` }}"
    '{{ $i }}:{{ label "instance" $s }}={{ value $s }} {{ end }}',
    '{{ with query "nothing" }}{{ . | first | value }}{{ else }}none{{ end }}',
    '{{ query "1 + 1" | first | value }}|{{ (query "load" | sortByLabel "instance" | first).Labels }}',
    '{{ if gt (query "max(load)" | first | value) 2.0 }}busy{{ else }}idle{{ end }}',
    '{{ define "x" }}{{ query . | first | value }}{{ end }}{{ template "x" "count(up == 1)" }}',
]


async def test_templates_that_query_as_prometheus_renders_them(tmp_path: Path) -> None:
    annotations = {f"t{number}": text for number, text in enumerate(TEXTS)}
    labels = {"severity": "critical", "size": '{{ query "count(up)" | first | value }}'}
    rule = {"alert": "Down", "expr": "up == 0", "labels": labels, "annotations": annotations}
    rules = json.dumps({"groups": [{"name": "g", "interval": "1m", "rules": [rule]}]})
    async with open_world(rules=rules) as world:
        await world.start()
        for series, value in SERIES.items():
            name, _, rest = series.removesuffix("}").partition("{")
            world.measure(name, float(value), **dict(part.replace('"', "").split("=") for part in rest.split(", ")))
        await world.pass_time(3 * MINUTE)
        (view,) = await world.alerts.current()
        ours = dict(view.alert.annotations)
    assert not any("error expanding" in text for text in ours.values()), ours
    (tmp_path / "rules.yml").write_text(rules)
    expected = {
        "exp_labels": {name: value for name, value in view.alert.labels.items() if name != "alertname"},
        "exp_annotations": ours,
    }
    test = {
        "rule_files": ["rules.yml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": f"{value}x3"} for series, value in SERIES.items()],
                "alert_rule_test": [{"eval_time": "2m", "alertname": "Down", "exp_alerts": [expected]}],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(json.dumps(test))
    done = await asyncio.create_subprocess_exec(
        PROMTOOL, "test", "rules", "test.yml", cwd=tmp_path, stdout=PIPE, stderr=STDOUT
    )
    output, _ = await asyncio.wait_for(done.communicate(), 60)
    assert done.returncode == 0, output.decode()
