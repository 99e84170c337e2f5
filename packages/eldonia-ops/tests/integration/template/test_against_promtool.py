"""Rule templates against Prometheus' own tool, where it is installed."""

import json
import subprocess

from required_tools import find_tool, requires_tool

from eldonia_ops.template import rule_template

PROMTOOL = find_tool("promtool") or ""
pytestmark = requires_tool("promtool")
VALUES = [
    0, 1, -1, 0.1, 0.05, 999, 1000, 1234, 1234567, 1e9, 1e6, 123456789, 0.000123, 1e-30, 59.5, 60, 3599, 3661, 93784,
    -93784, 0.5, 1024, 1048576, -2048, float("inf"), float("nan"), 12345.678, 0.99999, 999.96,
]  # fmt: skip
LABELS = {"instance": "host.example:9100", "j": "hELLO wORLD"}
TEXTS = [
    "{{ $value }}",
    "{{ $value | humanize }} {{ $value | humanize1024 }} {{ $value | humanizeDuration }}",
    "{{ $value | humanizePercentage }} {{ $value | humanizeTimestamp }}",
    '{{ printf "%.2f|%e|%g|%8.3f" $value $value $value $value }}',
    "{{ $labels.nope }}|{{ $labels }}|{{ .Labels.instance }}|{{ title $labels.j }}|{{ toUpper $labels.j }}",
    "{{ $labels.instance | stripPort }}|{{ $labels.instance | stripDomain }}",
    '{{ reReplaceAll "(.*)\\\\.ex.*" "$1-x" $labels.instance }}{{ reReplaceAll "o*" "_" $labels.instance }}',
    '{{ tableLink "a b" }}{{ graphLink "a b" }}{{ parseDuration "1h2m" }}{{ args 1 2 }}{{ "a b" | urlquery }}',
    "{{ if gt $value 10.0 }}high{{ else }}low{{ end }}",
]


def test_rule_templates_as_prometheus_renders_them(tmp_path):
    def spelled(value):
        return {"inf": "Inf", "nan": "NaN"}.get(repr(float(value)), repr(float(value)))

    series = 'label_replace(label_replace(vector({}),"instance","host.example:9100","",""),"j","hELLO wORLD","","")'
    rules = [
        {
            "alert": f"A{index}",
            "expr": series.format(spelled(value)),
            "annotations": {f"t{number}": text for number, text in enumerate(TEXTS)},
        }
        for index, value in enumerate(VALUES)
    ]
    expectations = [
        {
            "eval_time": "1m",
            "alertname": f"A{index}",
            "exp_alerts": [
                {
                    "exp_labels": LABELS,
                    "exp_annotations": {
                        f"t{number}": rule_template(text).render(LABELS, float(value))
                        for number, text in enumerate(TEXTS)
                    },
                }
            ],
        }
        for index, value in enumerate(VALUES)
    ]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    test = {"rule_files": ["rules.yml"], "tests": [{"interval": "1m", "alert_rule_test": expectations}]}
    (tmp_path / "test.yml").write_text(json.dumps(test))
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
