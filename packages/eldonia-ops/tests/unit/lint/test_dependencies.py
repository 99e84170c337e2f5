"""Names of services that others depend on and that nothing is called."""

from pathlib import Path

import pytest

from eldonia_ops.lint import check_files
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.notifiers.registry import built_in

SETTINGS = """\
alertmanager: {file: alertmanager.yml}
probes: [{name: site, url: 'http://127.0.0.1:1/', service: storefront}]
scrape: [{job: shop, targets: ['127.0.0.1:2'], labels: {service: checkout}}]
services:
  - {name: shop, depends_on: [%s]}
  - {name: orders-db}
rules: {files: [rules.yml]}
"""
ROUTING = "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'http://127.0.0.1:3/'}]}]\n"
RULES = "groups: [{name: g, rules: [{alert: A, expr: up == 0, labels: {severity: critical, service: %s}}]}]\n"


def found(folder: Path, name: str, service: str = "queue") -> list[Diagnostic]:
    (folder / "eldonia-ops.yml").write_text(SETTINGS % name)
    (folder / "alertmanager.yml").write_text(ROUTING)
    (folder / "rules.yml").write_text(RULES % service)
    return [
        one for one in check_files([folder / "eldonia-ops.yml"], {}, kinds=built_in()) if "depends on" in one.message
    ]


@pytest.mark.parametrize(
    "name", ["orders-db", "storefront", "checkout", "queue", "payment", "database", "infrastructure", "external"]
)
def test_what_a_service_probe_target_or_rule_carries_is_known(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, name) == []


def test_another_name_is_a_warning_at_its_place_with_the_nearest(tmp_path: Path) -> None:
    [one] = found(tmp_path, "order-db")
    assert one.message == "shop depends on 'order-db', and no alert, service or target is called so"
    assert (one.line, one.level, one.hint) == (5, Level.WARNING, "did you mean 'orders-db'?")
    assert found(tmp_path, "zzz")[0].hint == "if it is, add it to services: - {name: zzz}"


def test_a_rule_that_takes_the_service_from_the_data_may_carry_any(tmp_path: Path) -> None:
    assert found(tmp_path, "order-db", "'{{ $labels.app }}'") == []
