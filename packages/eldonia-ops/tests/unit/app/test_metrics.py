from eldonia_ops.app.metrics import loop_metrics, refused_metrics
from eldonia_ops.protocols.prometheus.text import ScrapeParser
from eldonia_ops.services.loops import Loops


def test_refusals_are_exposed_by_signal_and_reason() -> None:
    totals = {("metrics", "delta temporality"): 3, ("logs", 'a "quoted"\nreason\\'): 1}
    text = "".join(f"{name} {value}\n" for name, value in refused_metrics(totals).items())
    parser = ScrapeParser()
    found = parser.parse(text.encode())
    labels = [(series["__name__"], series["signal"], series["reason"]) for series in parser.series]
    assert labels == [("eldonia_ops_refused_total", signal, reason) for signal, reason in totals]
    assert found.values.tolist() == [3.0, 1.0]


def test_each_loop_has_its_metrics_and_an_item_only_while_it_fails() -> None:
    loops = Loops()
    loops.watch("delivery").failed(OSError())
    item = loops.item('tail of /a"b\\c')
    for _ in range(3):
        item.failed(OSError())
    assert loop_metrics(loops) == {
        'eldonia_ops_loop_failing{loop="delivery"}': 0.0,
        'eldonia_ops_loop_failures_total{loop="delivery"}': 1.0,
        'eldonia_ops_loop_failing{loop="tail of /a\\"b\\\\c"}': 1.0,
    }
    item.succeeded()
    assert len(loop_metrics(loops)) == 2
