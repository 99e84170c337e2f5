from collector_loops import Rows, loop_of, plans_of, settings_of

from eldonia_ops.collectors.probe import COLLECTOR, prober
from eldonia_ops.collectors.probe.http import HttpProber
from eldonia_ops.collectors.probe.tcp import TcpProber

SETTINGS = """
probes:
  - {name: gateway, url: "http://u:p@gw/health", service: payment, labels: {team: shop}}
  - {name: mail, url: "tls://mail:465"}
  - {name: db, url: "tcp://db:5432"}
"""


def test_a_loop_for_each_probe():
    plans = plans_of(COLLECTOR, settings_of(SETTINGS))
    assert [plan.name for plan in plans] == ["gateway", "mail", "db"]
    status = loop_of(plans[0], Rows().store).status
    assert status.url == "http://gw/health"
    assert dict(status.labels) == {
        **{"job": "probe", "instance": "http://gw/health", "probe": "gateway", "service": "payment"},
        "team": "shop",
    }


def test_the_same_settings_are_the_same_plan():
    first, second = (plans_of(COLLECTOR, settings_of(SETTINGS)) for _ in range(2))
    assert first == second
    changed = plans_of(COLLECTOR, settings_of(SETTINGS.replace("team: shop", "team: ops")))
    assert [one.specification == other.specification for one, other in zip(first, changed, strict=True)] == [
        False,
        True,
        True,
    ]


def test_the_scheme_says_how_to_look():
    web, mail, database = settings_of(SETTINGS).collectors["probes"]
    assert isinstance(prober(web), HttpProber)
    assert isinstance(prober(mail), TcpProber)
    assert isinstance(prober(database), TcpProber)
