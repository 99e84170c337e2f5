"""The configuration files of the demonstration: those that an operator would write, for loopback ports.

``rules.speed`` is 60: a minute of the design lasts a second here. Rules, routes, response targets and
security windows are otherwise the shipped defaults.
"""

import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

SPEED: Final = 60
SHOP_SERVICE: Final = "eldonia-shop"
GATEWAY_SERVICE: Final = "payment"
RESTART_DELAY_SECONDS: Final = 4


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of the demonstration's processes."""

    platform: int
    shop: int
    gateway: int
    receiver: int


_SETTINGS = Template("""\
# Written by `eldonia-ops demo`. A minute of the design lasts a second here (rules.speed).
listen: 127.0.0.1:$platform
data: $directory/data
language: $language
external_url: http://127.0.0.1:$platform

logs:
  - {path: $directory/logs/combined.log, service: $service}

scrape:
  - {job: $service, targets: ["127.0.0.1:$shop"], interval: 1s, timeout: 900ms, labels: {service: $service}}

# Rules look at windows of five seconds here: two looks at least must lie in each.
host: {interval: 1s}

probes:
  - {name: shop, url: "http://127.0.0.1:$shop/health", service: $service, interval: 1s, timeout: 900ms}
  - {name: payment-gateway, url: "http://127.0.0.1:$gateway/status", service: payment, interval: 1s, timeout: 900ms}

rules: {evaluation_interval: 1m, speed: $speed}

alertmanager: {file: alertmanager.yml}

services:
  - {name: $service, depends_on: [payment]}

objectives:
  - name: shop-availability
    service: $service
    target: 99.9
    good: sum(rate(http_requests_total{job="$service",status!~"5.."}[$$window]))
    total: sum(rate(http_requests_total{job="$service"}[$$window]))
  - {name: payment-gateway, service: payment, target: 99.9, probe: payment-gateway}

incidents:
  # A busy machine raises HighCPUUsage, which is right; an incident of its own would not belong to the story.
  opens: {critical: critical, high: high}
  escalation:
    - {tier: development}
    - {tier: infrastructure, receiver: infrastructure-team}
    - {tier: vendor, receiver: vendor}
    - {tier: management, receiver: management}

recovery:
  - service: $service
    probe: shop
    failures: 2
    # At this speed the design's 30 seconds would be half a second, too short for any process to start in.
    delay: ${delay}m
    action_timeout: 10m
    action:
      process:
        command: $command
        directory: $directory
        log: $directory/output/shop.log
        environment: {ELDONIA_INGEST_TOKEN: "$${SHOP_INGEST_TOKEN}", ELDONIA_ENVIRONMENT: demo}
""")

_ALERTMANAGER = Template("""\
# Written by `eldonia-ops demo`: the shipped routing, with a receiver process in the place of Slack and PagerDuty.
global:
  resolve_timeout: 5m
  slack_api_url: http://127.0.0.1:$receiver/services/T000DEMO0/B000DEMO0/abcdefghijklmnopqrstuvwx
  pagerduty_url: http://127.0.0.1:$receiver/v2/enqueue

route:
  group_by: [alertname, service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  receiver: slack-notifications
  routes:
    - matchers: ['service="security"']
      receiver: security-team
      continue: true
    - matchers: ['severity="critical"']
      receiver: pager-duty-critical
      continue: true
$patient
    - matchers: ['severity=~"critical|high|warning"']
      receiver: slack-notifications
$patient

receivers:
  - name: slack-notifications
    slack_configs:
      - channel: '#eldonia-alerts'
        title: '{{ template "slack.eldonia.title" . }}'
        text: '{{ template "slack.eldonia.text" . }}'
        actions:
          - {type: button, text: Open, url: '{{ template "slack.eldonia.grafana" . }}'}
        send_resolved: true
  - name: pager-duty-critical
    pagerduty_configs:
      - routing_key: 0123456789abcdef0123456789abcdef
        description: '{{ template "pagerduty.eldonia.description" . }}'
        severity: critical
        client: Eldonia Ops
        client_url: '{{ template "pagerduty.eldonia.clientURL" . }}'
  - name: security-team
    slack_configs:
      - channel: '#eldonia-security'
        title: '{{ template "slack.eldonia.security.title" . }}'
        text: '{{ template "slack.eldonia.security.text" . }}'
        send_resolved: true
  - name: infrastructure-team
    slack_configs:
      - {channel: '#eldonia-infrastructure'}
  - name: vendor
    slack_configs:
      - {channel: '#eldonia-vendor'}
  - name: management
    slack_configs:
      - {channel: '#eldonia-management'}

templates: ['$templates']

inhibit_rules:
  - source_matchers: ['severity="critical"', 'service!~"|security"']
    target_matchers: ['severity="warning"', 'service!~"|security"']
    equal: [service]
""")


_PATIENT = """\
      routes:
        - matchers: ['service="payment"']
          group_wait: 2m
"""


def write_files(directory: Path, ports: Ports, language: str, *, kill: bool = False) -> Path:
    """Write both files into the demonstration's folder and return the path of eldonia-ops.yml.

    ``kill``: the platform will be killed between detection and page of the payment gateway's failure. That page waits
    two seconds then, and not half a second, so that a busy machine has the time to do it.
    """
    command = [
        sys.executable, "-m", "shop", "--port", str(ports.shop), "--data-dir", str(directory / "shop"),
        "--gateway", f"http://127.0.0.1:{ports.gateway}", "--log-dir", str(directory / "logs"),
        "--otlp-endpoint", f"http://127.0.0.1:{ports.platform}", "--service", SHOP_SERVICE, "--allow-faults",
    ]  # fmt: skip
    settings = _SETTINGS.substitute(
        directory=directory,
        language=language,
        service=SHOP_SERVICE,
        speed=SPEED,
        delay=RESTART_DELAY_SECONDS,
        command="[" + ", ".join(f'"{part}"' for part in command) + "]",
        platform=ports.platform,
        shop=ports.shop,
        gateway=ports.gateway,
    )
    file = directory / "eldonia-ops.yml"
    directory.mkdir(parents=True, exist_ok=True)
    templates = files("eldonia_ops.defaults") / "templates" / "eldonia.tmpl"
    routing = _ALERTMANAGER.substitute(receiver=ports.receiver, templates=templates, patient=_PATIENT if kill else "")
    (directory / "alertmanager.yml").write_text(routing, encoding="utf-8")
    file.write_text(settings, encoding="utf-8")
    return file
