"""`pipeline check` reads the first lines of the files that are here."""

import os
from pathlib import Path

import pytest

from eldonia_ops.lint.pipeline import LoadedPipeline, load_pipeline
from eldonia_ops.lint.pipeline_samples import with_samples

NOW = 1_796_083_200_000
HINT = "eldonia-ops pipeline run FILE shows what becomes of each line"


def loaded(folder: Path, parse: str, filters: str = "", **source: str) -> LoadedPipeline:
    extra = "".join(f"  {name} {value}\n" for name, value in source.items())
    file = folder / "fluent.conf"
    file.write_text(
        f"<source>\n  @type tail\n  path {folder}/*.log\n  tag app.*\n{extra}"
        f"  <parse>\n{parse}\n  </parse>\n</source>\n{filters}<match **>\n  @type eldonia\n</match>\n"
    )
    return load_pipeline(file, {})


def warnings(found: LoadedPipeline) -> list[tuple[int, str, str]]:
    after = with_samples(found, NOW)
    assert not after.faulty
    return [(one.line, one.message, one.hint) for one in after.problems if one not in found.problems]


def test_a_parser_for_another_format_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("plain one\nplain two\nno end")
    found = warnings(loaded(tmp_path, "@type json"))
    ((line, message, hint),) = found
    assert (line, hint) == (1, HINT)
    assert message.startswith(f"the parser json reads none of 2 lines: {tmp_path}/a.log:1: ")
    assert message.endswith(": 'plain one'")


def test_one_line_that_is_read_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("plain\n")
    (tmp_path / "b.log").write_text('plain\n{"a": 1}\n')
    assert warnings(loaded(tmp_path, "@type json")) == []


def test_only_the_newest_files_count(tmp_path: Path) -> None:
    for number in range(4):
        file = tmp_path / f"{number}.log"
        file.write_text('{"a": 1}\n' if number == 0 else "plain\n")
        os.utime(file, (1_000 + number, 1_000 + number))
    ((_, message, _),) = warnings(loaded(tmp_path, "@type json"))
    assert f"none of 3 lines: {tmp_path}/3.log:1: " in message


def test_a_parser_of_a_filter(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text('{"message": "GET /"}\n{"message": "POST /"}\n')

    def filters(expression: str) -> str:
        parse = f"<parse>\n@type regexp\nexpression /{expression}/\n</parse>"
        return f"<filter app.**>\n@type parser\nkey_name message\n{parse}\n</filter>\n"

    assert warnings(loaded(tmp_path, "@type json", filters("^(?<method>GET) "))) == []
    ((line, message, _),) = warnings(loaded(tmp_path, "@type json", filters("^(?<id>[0-9]+)$")))
    assert line == 9
    assert message.startswith("<filter app.**> reads none of 2 events: parser: ")
    assert '"GET /"' in message


def test_what_is_not_here_or_no_text_says_nothing(tmp_path: Path) -> None:
    assert warnings(loaded(tmp_path, "@type json")) == []
    (tmp_path / "a.log").write_bytes(b"\0\0\n")
    (tmp_path / "b.log").mkdir()
    (tmp_path / "c.log").write_bytes(b"x" * 300_000 + b"\n")  # no line ends within what is read
    assert warnings(loaded(tmp_path, "@type json")) == []
    (tmp_path / "d.log").write_text("plain\n")
    assert warnings(loaded(tmp_path, "@type json", exclude_path=f'["{tmp_path}/d*"]')) == []


@pytest.mark.parametrize(("encoding", "text"), [("EUC-JP", "注文 42"), ("Shift_JIS", "失敗 7")])
def test_files_in_other_encodings(tmp_path: Path, encoding: str, text: str) -> None:
    (tmp_path / "a.log").write_bytes(f"{text}\n".encode(encoding.replace("-", "_")))
    word = text.split()[0]
    parse = f"@type regexp\nexpression /^(?<what>{word}) (?<n>[0-9]+)$/"
    assert warnings(loaded(tmp_path, parse, from_encoding=encoding, encoding="UTF-8")) == []


def test_a_pipeline_with_faults_is_not_tried(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("plain\n")
    found = loaded(tmp_path, "@type jsn")
    assert found.faulty
    assert with_samples(found, NOW) is found
