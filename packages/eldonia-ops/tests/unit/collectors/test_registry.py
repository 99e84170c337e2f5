"""Which collectors are found: ours, and those of packages that are really installed on the path."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from plugin_distribution import Install, installer

from eldonia_ops.collectors import registry

COLLECTOR = """
from eldonia_ops.collectors.collector import Collector, Independent
COLLECTOR = Collector("weather", lambda _: Independent(lambda _: []))
NOT_ONE = object()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    registry._plug_ins.cache_clear()
    yield installer(tmp_path, monkeypatch, registry.GROUP)
    registry._plug_ins.cache_clear()


@pytest.mark.parametrize("key", registry.BUILT_IN)
def test_each_of_ours_can_be_loaded_and_has_a_title_in_both_languages(key: str) -> None:
    collector = registry.find(key)
    assert collector.titles.keys() == {"en", "ja"}
    assert key in registry.registered_keys()


def test_kinds_are_different() -> None:
    kinds = [registry.find(key).kind for key in registry.BUILT_IN]
    assert len(set(kinds)) == len(kinds)


def test_a_plug_in_is_found_by_its_entry_point(install: Install) -> None:
    install("collector_weather", COLLECTOR, {"weather": "collector_weather:COLLECTOR"})
    assert registry.registered_keys() == (*registry.BUILT_IN, "weather")
    assert registry.find("weather").kind == "weather"


def test_one_that_cannot_be_used_is_named_and_others_are_found(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("collector_one", COLLECTOR, {"one": "collector_one:COLLECTOR", "odd": "collector_one:NOT_ONE"})
    install("collector_lost", "import a_module_that_is_not_there\n", {"lost": "collector_lost:COLLECTOR"})
    install("collector_exit", "raise SystemExit(3)\n", {"exits": "collector_exit:COLLECTOR"})
    # They keep their keys: their sections are left out with the reason, and are no unknown words.
    assert registry.registered_keys() == (*registry.BUILT_IN, "exits", "lost", "odd", "one")
    for key, reason in (
        ("lost", "collector-lost 1.2 cannot be used: ModuleNotFoundError"),
        ("odd", "collector-one 1.2 cannot be used: odd is no Collector but object"),
        ("exits", "collector-exit 1.2 cannot be used: SystemExit: 3"),
    ):
        with pytest.raises(registry.CollectorError, match=reason):
            registry.find(key)
        assert reason in caplog.text
    assert registry.find("one").kind == "weather"


def test_names_that_are_taken_or_impossible_are_left_out(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    points = {"probes": "collector_a:COLLECTOR", "Weather": "collector_a:COLLECTOR", "rain": "collector_a:COLLECTOR"}
    install("collector_a", COLLECTOR, points)
    install("collector_b", COLLECTOR, {"rain": "collector_b:COLLECTOR"})
    assert registry.registered_keys() == (*registry.BUILT_IN, "rain")
    assert registry.find("rain").kind == "weather"
    for words in ("the platform has a collector 'probes'", "'Weather' is not a name", "another plug-in has"):
        assert words in caplog.text


def test_what_is_not_registered_is_no_collector() -> None:
    with pytest.raises(registry.CollectorError, match="no collector 'data'"):
        registry.find("data")
