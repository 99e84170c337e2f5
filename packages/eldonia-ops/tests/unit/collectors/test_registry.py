from importlib import metadata

import pytest

from eldonia_ops.collectors import registry
from eldonia_ops.collectors.collector import Collector, Independent


@pytest.fixture
def entry_points(monkeypatch):
    """Lets a test say which entry points the installed packages have."""

    def install(*entries):
        found = [metadata.EntryPoint(name, value, registry.GROUP) for name, value in entries]
        monkeypatch.setattr(metadata, "entry_points", lambda *, group: found if group == registry.GROUP else [])
        registry._plug_ins.cache_clear()

    yield install
    monkeypatch.undo()
    registry._plug_ins.cache_clear()


WEATHER = Collector("weather", lambda _: Independent(lambda _: []))
NOT_ONE = object()


@pytest.mark.parametrize("key", registry.BUILT_IN)
def test_each_of_ours_can_be_loaded_and_has_a_title_in_both_languages(key):
    collector = registry.find(key)
    assert collector.titles.keys() == {"en", "ja"}
    assert key in registry.registered_keys()


def test_kinds_are_different():
    kinds = [registry.find(key).kind for key in registry.BUILT_IN]
    assert len(set(kinds)) == len(kinds)


def test_a_plug_in_is_found_by_its_entry_point(entry_points):
    entry_points(("weather", f"{__name__}:WEATHER"))
    assert registry.registered_keys()[-1] == "weather"


def test_a_plug_in_is_loaded(entry_points, monkeypatch):
    entry_points(("weather", "weather_package:COLLECTOR"))
    monkeypatch.setattr(metadata.EntryPoint, "load", lambda entry: WEATHER)
    assert registry.find("weather") is WEATHER


def test_a_plug_in_that_cannot_be_used_is_named_and_others_are_found(entry_points, caplog, monkeypatch):
    entry_points(
        ("weather", "weather_package:COLLECTOR"),
        ("broken", "no_such_package:COLLECTOR"),
        ("odd", "odd_package:NOT_ONE"),
        ("exits", "exits_package:COLLECTOR"),
    )

    def load(entry):
        match entry.name:
            case "exits":
                raise SystemExit(1)
            case "odd":
                return NOT_ONE
            case "broken":
                raise ModuleNotFoundError("No module named 'no_such_package'")
        return WEATHER

    monkeypatch.setattr(metadata.EntryPoint, "load", load)
    with pytest.raises(registry.CollectorError, match="broken cannot be loaded: ModuleNotFoundError"):
        registry.find("broken")
    with pytest.raises(registry.CollectorError, match="odd is no Collector but object"):
        registry.find("odd")
    with pytest.raises(registry.CollectorError, match="exits cannot be loaded: SystemExit"):
        registry.find("exits")
    assert registry.find("weather") is WEATHER


def test_names_that_are_taken_or_impossible_are_left_out(entry_points, caplog):
    entry_points(("probes", "a:C"), ("Weather", "b:C"), ("rain", "d:C"), ("rain", "c:C"), ("rain", "c:C"))
    assert registry.registered_keys() == (*registry.BUILT_IN, "rain")
    for words in ("probes (a:C) is left out: a collector of the platform", "Weather (b:C)", "c:C has the same name"):
        assert words in caplog.text


def test_what_is_not_registered_is_no_collector():
    with pytest.raises(registry.CollectorError, match="no collector 'data'"):
        registry.find("data")
