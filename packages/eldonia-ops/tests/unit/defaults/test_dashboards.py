"""The dashboards that ship: without a doubt, in both languages, over metrics that there are."""

import re
from importlib.resources import files

import pytest

from eldonia_ops.collectors.redis.names import COUNTERS, GAUGES
from eldonia_ops.dashboards.complete import every_panel
from eldonia_ops.dashboards.part import Words
from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.protocols.dashboard_file import examine_dashboard
from eldonia_ops.services.metric_declarations import BY_NAME

FILES = sorted((one for one in (files("eldonia_ops.defaults") / "dashboards").iterdir()), key=lambda one: one.name)
_NAME = re.compile(r"\b(?:eldonia_ops|process|redis|slo)[a-z0-9_:]{2,80}\b")


def examined(file):
    read, found = examine_dashboard(file.read_text("utf-8"), file.name)
    assert read is not None, found
    return read.dashboard, found


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
def test_nothing_is_doubtful(file) -> None:
    dashboard, found = examined(file)
    no_doubts: list[Diagnostic] = []
    assert found == no_doubts
    assert "shipped" in dashboard.tags
    assert dashboard.folder


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
def test_every_text_is_in_both_languages(file) -> None:
    dashboard, _ = examined(file)
    texts = [dashboard.title, dashboard.description, *(one.label for one in dashboard.variables)]
    for _, panel in every_panel(dashboard.panels):
        texts.append(panel.title)
        texts += [text for text in (panel.description, *(one.text for one in panel.mappings)) if text]
    assert [text for text in texts if not isinstance(text, Words) or not text.ja] == []


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
def test_the_metrics_that_we_name_ourselves_exist(file) -> None:
    dashboard, _ = examined(file)
    ours = {*BY_NAME, *(f"redis_{name}" for name in (*GAUGES.values(), *COUNTERS.values()))}
    ours |= {"redis_up", "redis_commands_total", "redis_commands_duration_seconds_total", "redis_db_keys"}
    ours |= {f"{name}{part}" for name in BY_NAME for part in ("_bucket", "_count", "_sum")}
    ours |= {"slo:error_ratio:rate30d", "slo:error_ratio:rate1h", "slo:objective:budget"}
    used = {
        name
        for _, panel in every_panel(dashboard.panels)
        for query in panel.queries
        if query.language == "promql"
        for name in _NAME.findall(query.expr)
    }
    assert used - ours == set()
