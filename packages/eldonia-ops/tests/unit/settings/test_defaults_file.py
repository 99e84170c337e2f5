"""The commented file that users start from says the truth."""

import re
from importlib.resources import files
from pathlib import Path

from eldonia_ops.settings import Settings, parse_settings

TEXT = (files("eldonia_ops.defaults") / "eldonia-ops.yml").read_text(encoding="utf-8")
ENV = {"HOME": "/home/hana"}
PROSE = re.compile(r"\s*#(?: \S|$)")


def test_it_holds_the_defaults() -> None:
    path = Path("/etc/eldonia-ops/eldonia-ops.yml")
    from_file = parse_settings(TEXT, path, ENV)
    assert from_file == parse_settings("", path, ENV)


def test_it_mentions_every_key() -> None:
    mentioned = set(re.findall(r"(\w+):", TEXT))
    assert {
        name for name in Settings.__dataclass_fields__ if name not in ("file", "concealed", "collectors", "parts")
    } <= mentioned


def test_its_examples_work() -> None:
    shown: dict[str, str] = {}
    lines: list[str] = []
    for line in TEXT.splitlines():
        if PROSE.match(line):
            continue
        code = re.sub(r"^(\s*)#", r"\1", line)
        key = re.match(r"(\w+):", code)
        if key and line.startswith("#") and key[1] in shown:
            # An example follows the default of the same key and takes its place.
            lines = [kept for kept in lines if not kept.startswith(f"{key[1]}:")]
        if key:
            shown[key[1]] = code
        lines.append(code)
    settings = parse_settings("\n".join(lines), Path("/srv/ops/eldonia-ops.yml"), ENV)
    assert settings.data == Path("/srv/ops/data")
    assert settings.state.reveal() == "postgresql://ops:@db.internal/ops"
    assert settings.telemetry.reveal() == "http://ops:@clickhouse.internal:8123/ops"
    logs, metrics, traces = settings.telemetry_addresses()
    assert (logs, metrics, traces) == ("http://ops:@logs.internal:8123/ops", "chdb", logs)
    assert (settings.storage.tables, settings.storage.cluster, settings.storage.instance) == ("distributed", "ops", 1)
    assert settings.alertmanager.file == Path("/srv/ops/alertmanager.yml")
    assert settings.incidents.runbook == Path("/srv/ops/runbook.yml")
    counts = [
        *(settings.collectors[key] for key in ("logs", "scrape", "postgresql", "probes")),
        settings.objectives,
        settings.recovery,
    ]
    assert [len(some) for some in counts] == [1, 1, 1, 2, 2, 1]
    objectives = [one.objective() for one in settings.objectives]
    assert [one.target for one in objectives] == [0.999, 0.999]
    assert [one.probe for one in objectives] == ['probe_success{probe="shop"}', ""]
