import pytest

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.protocols.yaml_document import MappingReader, Problems, load


def reader(text: str) -> tuple[MappingReader, Problems]:
    problems = Problems("f.yml")
    node = load(text, "f.yml")
    assert node is not None
    return MappingReader(node, problems, "the file"), problems


def test_reads_typed_values() -> None:
    read, problems = reader("a: 5m\nb: [1, x]\nc: yes\nd: {k: v}\ne: 3\nf: 0.5\n")
    assert read.duration("a") == 300_000
    assert read.strings("b") == ("1", "x")
    assert read.boolean("c") is True
    assert read.string_map("d") == {"k": "v"}
    assert read.integer("e") == 3
    assert read.number("f") == 0.5
    read.done()
    assert problems.diagnostics == []


def test_all_faults_are_found_in_one_pass_each_with_its_place() -> None:
    read, problems = reader("interval: soon\ncolour: rde\nintervall: 3\ninterval: 1m\n")
    read.duration("interval")
    read.choice("colour", ["red", "green"], "red")
    read.string("name", required=True)
    read.done()
    with pytest.raises(ConfigError) as caught:
        problems.raise_if_any()
    text = str(caught.value)
    assert "f.yml:4:1: error: interval occurs twice" in text
    assert "f.yml:2:9: error: colour cannot be 'rde' (did you mean 'red'?)" in text
    assert "f.yml:3:1: error: unknown key 'intervall' in the file (did you mean 'interval'?)" in text
    assert "the file needs name" in text


@pytest.mark.parametrize(
    ("text", "place"), [("a: [\n b: ]]", "f.yml:2:"), ("a: b: c", "f.yml:1:5"), ("\tx: 1", "f.yml:1:1")]
)
def test_broken_yaml_is_located(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, "f.yml")
    assert str(caught.value).startswith(place)
