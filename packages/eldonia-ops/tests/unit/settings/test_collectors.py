"""Sections that belong to collectors with readers of their own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import jsonschema
import pytest
import yaml

from eldonia_ops.collectors import registry
from eldonia_ops.collectors.collector import Collector, Independent
from eldonia_ops.model.errors import ConfigError, Level
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings import examine_settings, parse_settings
from eldonia_ops.settings.containers import Items
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Period
from eldonia_ops.settings.schema import settings_schema
from eldonia_ops.settings.show import effective_settings
from eldonia_ops.settings.texts import SecretText, Text

NONE = Secret("")


@dataclass(frozen=True)
class City:
    city: Annotated[str, Setting(Text(), "Where.")]
    interval: Annotated[int, Setting(Period(), "How often.")] = 15_000
    key: Annotated[Secret, Setting(SecretText(), "For the service.")] = NONE


class Failing(Text):
    def read(self, reader, key, default, required):
        raise ZeroDivisionError


WEATHER = Setting(Items(City, "city", "cities"), "Cities.")
FAILING = Setting(Failing())


@pytest.fixture
def collectors(monkeypatch):
    """What is registered, by key; a text is the reason why it cannot be loaded."""
    found = {
        "weather": Collector("weather", lambda _: Independent(lambda _: []), WEATHER),
        "silent": Collector("silent", lambda _: Independent(lambda _: [])),
        "bad": Collector("bad", lambda _: Independent(lambda _: []), FAILING),
        "absent": "the collector absent cannot be loaded: ImportError: no such module",
        "listen": Collector("greedy", lambda _: Independent(lambda _: []), FAILING),
    }

    def find(key):
        if isinstance(found[key], str):
            raise registry.CollectorError(found[key])
        return found[key]

    monkeypatch.setattr(registry, "registered_keys", lambda: tuple(found))
    monkeypatch.setattr(registry, "find", find)


def examine(text):
    settings, diagnostics = examine_settings(text, Path("/srv/eldonia-ops.yml"), {"HOME": "/root"})
    return settings, [(item.line, item.message, item.level) for item in diagnostics]


def test_a_section_is_read_by_its_collector(collectors):
    settings, faults = examine("weather:\n  - {city: Osaka}\n  - {city: Kobe, interval: 1m}\n")
    assert faults == []
    assert settings.collectors == {"weather": (City("Osaka"), City("Kobe", 60_000))}


def test_a_fault_in_it_has_its_place(collectors):
    with pytest.raises(ConfigError) as error:
        parse_settings("weather:\n  - city: Osaka\n    colour: red\n", None, {"HOME": "/root"})
    [diagnostic] = error.value.diagnostics
    assert (diagnostic.line, diagnostic.column) == (3, 5)
    assert "colour" in diagnostic.message


def test_a_collector_that_cannot_be_loaded_or_fails_takes_no_other_section_away(collectors):
    settings, faults = examine("absent: [1]\nbad: []\nsilent: {}\nweather: [{city: Osaka}]\nlanguage: ja\n")
    assert faults == [
        (1, "the collector absent cannot be loaded: ImportError: no such module", Level.WARNING),
        (2, "the collector bad cannot read its settings: ZeroDivisionError", Level.ERROR),
        (3, "the collector silent has no settings", Level.ERROR),
    ]
    assert settings.collectors == {"weather": (City("Osaka"),)}
    assert settings.language == "ja"


def test_our_own_sections_are_not_given_away(collectors):
    settings, faults = examine("listen: 127.0.0.1:9601\n")
    assert faults == []
    assert settings.listen.port == 9601
    assert settings.collectors == {}


def test_without_a_section_nothing_is_loaded(collectors, monkeypatch):
    monkeypatch.setattr(registry, "find", lambda key: pytest.fail("loaded"))
    assert examine("language: ja\nweather:\n")[0].collectors == {}


def test_the_schema_and_what_is_shown_have_the_sections(collectors):
    schema = settings_schema()
    assert schema["properties"]["weather"]["description"] == "Cities."
    assert "absent" not in schema["properties"]
    validator = jsonschema.Draft7Validator(schema)
    assert not list(validator.iter_errors({"weather": [{"city": "Osaka"}]}))
    assert list(validator.iter_errors({"weather": [{"colour": "red"}]}))
    shown = yaml.safe_load(effective_settings(examine("weather: [{city: Osaka, key: sesame}]")[0]))
    assert shown["weather"] == [{"city": "Osaka", "interval": "15s", "key": "<secret>"}]
    assert "collectors" not in shown
