from eldonia_ops.app.platform import _refused_metrics
from eldonia_ops.protocols.prometheus_text import ScrapeParser


def test_refusals_are_exposed_by_signal_and_reason() -> None:
    totals = {("metrics", "delta temporality"): 3, ("logs", 'a "quoted"\nreason\\'): 1}
    text = "".join(f"{name} {value}\n" for name, value in _refused_metrics(totals).items())
    parser = ScrapeParser()
    found = parser.parse(text.encode())
    labels = [(series["__name__"], series["signal"], series["reason"]) for series in parser.series]
    assert labels == [("eldonia_ops_refused_total", signal, reason) for signal, reason in totals]
    assert found.values.tolist() == [3.0, 1.0]
