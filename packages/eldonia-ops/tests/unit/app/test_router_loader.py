"""The router alone decides as Alertmanager does."""

from pathlib import Path

from eldonia_ops.app.alertmanager import RouterOptions, router_loader
from eldonia_ops.settings import Listen


def test_no_outages_are_joined(tmp_path: Path) -> None:
    """Alertmanager knows of no causes: what no inhibit rule holds back is sent."""
    routing = tmp_path / "alertmanager.yml"
    routing.write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    load = router_loader(RouterOptions(config=routing, storage=tmp_path, listen=Listen("127.0.0.1", 9093)), {})
    configuration = load(lambda settings: settings)
    assert configuration.routing.outages is None
    assert configuration.rule_groups == ()
