"""What the overview draws."""

from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.promql import evaluate, parse, plan
from eldonia_ops.promql.testing import Storage, expand_values, split_series
from eldonia_ops.web.panels import LAYERS, MOST_BUSINESS, business_layer


def counters(*names: str) -> list[MetricMetadata]:
    return [MetricMetadata(name, MetricType.COUNTER) for name in names]


def drawn(layer: str, panel: str, *series: str) -> dict[str, object]:
    """The lines of a panel after two minutes, by their names."""
    storage = Storage(loads=1)
    for line in series:
        labels, values, _ = split_series(line)
        storage.add(
            labels, [(at * 30_000, value) for at, value in enumerate(expand_values(values)) if isinstance(value, float)]
        )
    (found,) = (one for row in LAYERS if row.key == layer for one in row.panels if one.key == panel)
    planned = plan(parse(found.query.replace("$window", "60s")), 120_000, 120_000, 0)
    data = [storage.select(one.matchers, one.start_ms, one.end_ms) for one in planned.fetches]
    return {labels.get(found.legend, ""): value for labels, value in evaluate(planned, data).vector}


NGINX = 'nginx_http_requests_total{job="nginx",instance="n:1"} 0+30x4'
SHOP = 'http_requests_total{job="shop",instance="s:1"} 0+60x4'


def test_an_nginx_counts_the_requests_where_no_application_does() -> None:
    assert drawn("application", "requests", NGINX) == {"nginx": 1.0}
    assert drawn("application", "requests", NGINX, SHOP) == {"shop": 2.0}


def test_redis_is_a_database() -> None:
    clients = 'redis_connected_clients{job="redis",instance="r:1"} 3+0x4'
    backends = 'pg_stat_database_numbackends{datname="shop",instance="p:1"} 4+0x4'
    assert drawn("database", "connections", clients, backends) == {"shop": 4.0, "redis r:1": 3.0}
    assert drawn("database", "redis_commands", 'redis_commands_processed_total{instance="r:1"} 0+30x4') == {"r:1": 1.0}
    assert drawn("database", "redis_memory", 'redis_memory_used_bytes{instance="r:1"} 5+0x4') == {"r:1": 5.0}


def test_every_query_can_be_read() -> None:
    layer = business_layer(counters("orders"))
    assert layer is not None
    for one in (*LAYERS, layer):
        for panel in one.panels:
            parse(panel.query.replace("$window", "60s"))


def test_what_an_application_counts_itself_is_a_panel() -> None:
    layer = business_layer(
        [
            *counters("orders_total", "orders", "sign_ups", "http_requests_total", "node_cpu_seconds_total", "a.b"),
            MetricMetadata("queue_length", MetricType.GAUGE),
        ]
    )
    assert layer is not None
    assert [panel.title for panel in layer.panels] == ["orders", "sign ups"]
    assert layer.panels[1].query == "sum by (job) (rate(sign_ups_total[$window])) * 60"


def test_there_is_an_end_to_them_and_nothing_is_no_layer() -> None:
    layer = business_layer(counters(*(f"a{number}" for number in range(50))))
    assert layer is not None
    assert len(layer.panels) == MOST_BUSINESS
    assert business_layer(counters("go_gc_total")) is None
