"""What the overview draws."""

from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.promql import parse
from eldonia_ops.web.panels import LAYERS, MOST_BUSINESS, business_layer


def counters(*names: str) -> list[MetricMetadata]:
    return [MetricMetadata(name, MetricType.COUNTER) for name in names]


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
