"""Plug-ins are found by their entry points, in a package that is really installed on the path."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eldonia_ops.intake.registry import built_in, installed_intakes, stream_named
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.settings import parse_settings
from eldonia_ops.settings.listeners import usual_listeners

MODULE = """
from eldonia_ops.intake import HttpListener, Intake, IntakeAnswer, StreamListener

INTAKE = Intake("statsd", (), lambda headers, problem: IntakeAnswer(problem.status))
NOT_ONE = object()
LISTENING = Intake(
    "statsd",
    (),
    INTAKE.fault,
    listeners=(StreamListener("statsd", 8125, None), HttpListener("bulk", 9200), HttpListener("jaeger", 1)),
)
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a module and the metadata that an installer would write."""
    (tmp_path / "eldonia_test_plugin.py").write_text(MODULE)
    metadata = tmp_path / "eldonia_test_plugin-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: eldonia-test-plugin\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "eldonia_test_plugin", raising=False)
    installed_intakes.cache_clear()
    yield metadata / "entry_points.txt"
    installed_intakes.cache_clear()


def test_a_plug_in_comes_after_ours(plugin: Path) -> None:
    plugin.write_text("[eldonia_ops.intake]\nstatsd = eldonia_test_plugin:INTAKE\n")
    assert [intake.name for intake in installed_intakes()] == [*(one.name for one in built_in()), "statsd"]


def test_one_that_cannot_be_loaded_is_named_and_stops_no_other(plugin: Path, caplog: pytest.LogCaptureFixture) -> None:
    plugin.write_text(
        "[eldonia_ops.intake]\na = eldonia_test_missing:INTAKE\nb = eldonia_test_plugin:NOT_ONE\n"
        "c = eldonia_test_plugin:INTAKE\nd = eldonia_test_leaving:INTAKE\n"
    )
    (plugin.parent.parent / "eldonia_test_leaving.py").write_text("raise SystemExit(3)\n")
    with caplog.at_level(logging.ERROR):
        found = installed_intakes()
    assert [intake.name for intake in found] == [*(one.name for one in built_in()), "statsd"]
    assert ["entry point 'a'" in caplog.text, "entry point 'b'" in caplog.text] == [True, True]
    assert "entry point 'd'" in caplog.text


def test_without_plug_ins_there_are_ours() -> None:
    assert installed_intakes() == built_in()


def test_the_settings_know_the_listener_of_a_plug_in(plugin: Path) -> None:
    plugin.write_text("[eldonia_ops.intake]\nstatsd = eldonia_test_plugin:LISTENING\n")
    settings = parse_settings("listeners: {statsd: {anonymous: ingest}, bulk: {}}", None, {"HOME": "/"})
    assert {name: one.port for name, one in settings.listeners.items()} == {"statsd": 8125, "bulk": 9200}
    assert [stream_named(name) is not None for name in ("bulk", "statsd", "jaeger")] == [False, True, False]
    # It has no tokens, so it is held to what ours are held to.
    with pytest.raises(ConfigError, match="statsd has no tokens"):
        parse_settings("listeners: {statsd: {}}", None, {"HOME": "/"})
    # Names that are in use stay what they are.
    assert usual_listeners()["jaeger"] == 16686


def test_without_the_plug_in_its_listener_is_unknown() -> None:
    with pytest.raises(ConfigError, match="unknown key 'statsd' in listeners"):
        parse_settings("listeners: {statsd: {}}", None, {"HOME": "/"})
