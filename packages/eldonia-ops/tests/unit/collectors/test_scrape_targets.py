"""Targets of a scrape job after relabelling, and series after theirs."""

from pathlib import Path

from eldonia_ops.collectors.scrape import exposition_limits, scrape_targets
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.relabelling import RelabelAction, RelabelRule
from eldonia_ops.protocols.prometheus.scrape_rows import ScrapeRows
from eldonia_ops.settings import examine_settings

BLACKBOX = """
scrape:
  - job: blackbox
    path: /probe
    params: {module: [http_2xx], debug: ['true', 'more']}
    static_configs:
      - targets: ['https://shop.example/a b', 'https://till.example']
        labels: {team: web}
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: '127.0.0.1:9115'}
"""


def read(text: str):
    settings, found = examine_settings(text, Path("/etc/eldonia-ops.yml"), {"HOME": "/"})
    return settings, [(one.line, one.message) for one in found]


def targets(text: str):
    settings, found = read(text)
    assert found == []
    return scrape_targets(settings, exposition_limits(settings.limits))


def test_the_blackbox_exporter_is_asked_about_each_target() -> None:
    first, second = targets(BLACKBOX)
    assert first.url == (
        "http://127.0.0.1:9115/probe?module=http_2xx&debug=true&target=https%3A%2F%2Fshop.example%2Fa+b&debug=more"
    )
    assert first.target_labels == Labels({"job": "blackbox", "instance": "https://shop.example/a b", "team": "web"})
    assert "target=https%3A%2F%2Ftill.example" in second.url


def test_rules_drop_targets_and_set_how_they_are_fetched() -> None:
    found = targets("""
scrape:
  - job: apps
    interval: 10s
    timeout: 5s
    targets: ['a:1', 'b:2']
    static_configs: [{targets: ['c:3'], labels: {__metrics_path__: /m, __scrape_interval__: 1m, env: prod}}]
    relabel_configs:
      - {action: drop, source_labels: [__address__], regex: 'b:.*'}
      - {source_labels: [__address__], regex: 'c:.*', target_label: __scheme__, replacement: https}
      - {source_labels: [__address__], regex: 'c:.*', target_label: job, replacement: other}
""")
    assert [(one.url, one.job, one.interval_ms, one.timeout_ms) for one in found] == [
        ("http://a:1/metrics", "apps", 10_000, 5_000),
        ("https://c:3/m", "other", 60_000, 5_000),
    ]
    assert found[1].labels == Labels({"env": "prod"})


def test_what_cannot_be_scraped_is_named_at_its_place() -> None:
    _, found = read("scrape:\n  - job: x\n    static_configs: [{targets: ['https://x/']}]\n")
    assert found == [(3, "'https://x/' becomes http://https://x/, which is no address to scrape")]
    _, found = read("scrape:\n  - job: x\n")
    assert found == [(2, "scrape[0] needs targets")]
    _, found = read(
        "scrape:\n  - job: x\n    targets: ['a:1']\n    relabel_configs:\n      - {action: kep}\n"
        "      - {action: hashmod, target_label: x}\n      - {source_labels: [a]}\n"
        "      - {regex: '(', target_label: b}\n"
        "      - {action: labeldrop, source_labels: [a], regex: x}\n"
    )
    assert found == [
        (5, "there is no action 'kep'"),
        (6, "relabel_configs[1]: hashmod needs a modulus above zero"),
        (7, "relabel_configs[2]: replace needs target_label"),
        (8, found[3][1]),
        (9, "labeldrop looks at the names of labels: source_labels means nothing to it"),
    ]
    assert found[3][1].startswith("bad regular expression '('")


BODY = b'a{x="1"} 1\na{x="2"} 2\nb 3\nc{x="1"} 4 1700000000000\n'


def rows(*rules: RelabelRule) -> ScrapeRows:
    return ScrapeRows("j/i", Labels({"job": "j", "instance": "i"}), metric_relabel=rules)


def values(found) -> dict[str, float]:
    names = [labels["__name__"] for labels in found.row.labels]
    return dict(zip(names, found.row.values, strict=True))


def test_series_are_changed_and_dropped_and_the_report_says_how_many_stay() -> None:
    made = rows(
        RelabelRule(RelabelAction.DROP, ("__name__",), regex="b|c"),
        RelabelRule(RelabelAction.LABEL_DROP, regex="x"),
    )
    for _ in range(2):  # the second body is read by what the first left known
        found = made.scraped(BODY, 1_700_000_000_000, 0.1)
        seen = values(found)
        assert len(found.row.labels) == 1 + 5
        assert seen["a"] == 1, "the first of what became one series counts"
        assert found.samples == ()
        assert seen["scrape_samples_scraped"] == 4
        assert seen["scrape_samples_post_metric_relabeling"] == 2
    assert values(made.failed(1_700_000_001_000, 0.1))["up"] == 0


def test_without_rules_nothing_changes() -> None:
    plain = rows().scraped(BODY, 1, 0.1)
    assert len(plain.row.labels) == 3 + 5
    assert len(plain.samples) == 1
