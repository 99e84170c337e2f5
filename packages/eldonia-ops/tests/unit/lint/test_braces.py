from pathlib import Path

import pytest

from eldonia_ops.lint import pipeline
from eldonia_ops.lint.pipeline import MOST_PATTERNS, DiskFiles, braces
from eldonia_ops.protocols.fluentd_config import MAX_BYTES


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/a.log", ["/a.log"]),
        ("/{a,b}.log", ["/a.log", "/b.log"]),
        ("/{a,b}/{c,d}", ["/a/c", "/a/d", "/b/c", "/b/d"]),
        ("/{a{1,2},b}", ["/a1", "/a2", "/b"]),
        ("/{open", ["/{open"]),
    ],
)
def test_each_choice_is_a_pattern(pattern: str, found: list[str]) -> None:
    assert sorted(set(braces(pattern))) == found


def test_many_choices_are_bounded() -> None:
    assert len(braces("{a,b}" * 40)) == MOST_PATTERNS
    assert braces("{" * 20_000) == ["{" * 20_000]


def test_what_an_include_names_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        (tmp_path / name).write_text(name)
    files = DiskFiles()
    assert files.matching(f"{tmp_path}/*") == [f"{tmp_path}/{name}" for name in "abcd"]
    monkeypatch.setattr(pipeline, "MOST_PATHS", 3)
    assert len(files.matching(f"{tmp_path}/*")) == 3
    (tmp_path / "a").write_bytes(b"#" * (MAX_BYTES + 500))
    assert len(files.read(f"{tmp_path}/a")) == MAX_BYTES + 1
