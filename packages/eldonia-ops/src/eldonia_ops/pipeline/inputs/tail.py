"""``@type tail``: lines of files. https://docs.fluentd.org/input/tail"""

import codecs
import re
from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.inputs.input import Input
from eldonia_ops.pipeline.old_parse import read_parser
from eldonia_ops.pipeline.parsers import Parser
from eldonia_ops.pipeline.section import Place, SectionReader
from eldonia_ops.pipeline.tag_pattern import TagPattern
from eldonia_ops.pipeline.times.strftime import DIRECTIVE

_WITHOUT_EFFECT: Final = (
    "enable_watch_timer", "enable_stat_watcher", "open_on_every_update", "skip_refresh_on_startup",
    "ignore_repeated_permission_error", "read_lines_limit", "pos_file_compaction_interval", "refresh_interval",
    "path_timezone", "glob_policy", "follow_inodes",
)  # fmt: skip
_RUBY_NAMES: Final = {"WINDOWS-31J": "cp932", "CP932": "cp932", "EUCJP-MS": "euc_jp", "ASCII-8BIT": "utf-8",
                      "BINARY": "utf-8"}  # fmt: skip
_WILD: Final = re.compile(rf"(\*\*?|\?|\[[^\[\]]{{0,255}}\]|\{{[^{{}}]{{0,4096}}\}}|{DIRECTIVE.pattern})")


@dataclass(frozen=True, slots=True, kw_only=True)
class TailInput(Input):
    """``paths`` are globs, in which ``%Y`` and the like are the date. ``encoding`` is that of the files, '' UTF-8.
    Durations are in seconds."""

    type: str = "tail"
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tag: str = ""
    pos_file: str = ""
    parser: Parser | None = field(default=None, compare=False)
    read_from_head: bool = False
    rotate_wait: float = 5.0
    path_key: str = ""
    encoding: str = ""
    multiline_flush_interval: float = 5.0
    emit_unmatched_lines: bool = False
    max_line_size: int = 0
    limit_recently_modified: float = 0.0

    @property
    def summary(self) -> str:
        """What is read."""
        return f"lines of {', '.join(self.paths)}"

    def tag_of(self, path: str) -> str:
        """The tag of lines of a file: ``*`` in ``tag`` is its path with dots."""
        return self.tag.replace("*", dotted(path), 1)


def dotted(path: str) -> str:
    """A path as a part of a tag: ``/var/log/a.log`` is ``var.log.a.log``."""
    return re.sub(r"\.+", ".", path.replace("/", ".")).removeprefix(".")


def tail_input(reader: SectionReader, id: str, label: str, place: Place) -> TailInput:
    """A ``<source>`` of type tail."""
    reader.ignore(*_WITHOUT_EFFECT)
    path = reader.string("path", required=True)
    between = reader.string("path_delimiter", ",")
    paths = tuple(one.strip() for one in path.split(between) if one.strip())
    for one in paths:
        if not one.startswith("/"):
            hint = "write it from / on"
            reader.problem(f"the path {one} is not absolute", "path", hint=hint, level=Level.WARNING)
    tag = reader.string("tag", required=True)
    if reader.value("read_bytes_limit_per_second") not in (None, "-1", -1):
        name = "read_bytes_limit_per_second"
        reader.problem("reading is slowed by the outputs alone", name, level=Level.WARNING)
    if reader.sections("group"):
        reader.problem("<group> is not supported: reading is slowed by the outputs alone", level=Level.WARNING)
    if tag.count("*") > 1:
        reader.problem("only the first * of tag is the path", "tag", level=Level.WARNING)
    return TailInput(
        id=id,
        label=label,
        place=place,
        paths=paths,
        exclude=reader.texts("exclude_path"),
        tag=tag,
        pos_file=reader.string("pos_file"),
        parser=read_parser(reader),
        read_from_head=reader.boolean("read_from_head", False),
        rotate_wait=reader.seconds("rotate_wait", 5),
        path_key=reader.string("path_key"),
        encoding=_encoding(reader),
        multiline_flush_interval=reader.seconds("multiline_flush_interval", 5),
        emit_unmatched_lines=reader.boolean("emit_unmatched_lines", False),
        max_line_size=reader.size("max_line_size", 0),
        limit_recently_modified=reader.seconds("limit_recently_modified", 0),
        tags=TagPattern.of_texts(_pieces(tag, one) for one in paths),
        tags_shown=_shown(tag, paths),
    )


def _encoding(reader: SectionReader) -> str:
    """The name that Python has for the encoding of the files; '' for UTF-8."""
    written = reader.string("from_encoding") or reader.string("encoding")
    name = "from_encoding" if reader.string("from_encoding") else "encoding"
    try:
        found = codecs.lookup(_RUBY_NAMES.get(written.upper(), written)).name if written else "utf-8"
    except LookupError:
        reader.problem(f"there is no encoding {written!r}", name, hint="such as Shift_JIS, EUC-JP, Windows-1252")
        return ""
    if found.startswith(("utf-16", "utf-32")):
        reader.problem(f"files in {written} cannot be followed line by line", name)
        return ""
    return "" if found in ("utf-8", "ascii") else found


def _pieces(tag: str, path: str) -> list[str | None]:
    """The tags of a path: its texts, and None for what a glob or a date may be."""
    if "*" not in tag:
        return [tag]
    before, _, behind = tag.partition("*")
    found: list[str | None] = [before]
    for at, piece in enumerate(_WILD.split(dotted(path))):
        found.append(None if at % 2 else piece)
    return [*found, behind]


def _shown(tag: str, paths: tuple[str, ...]) -> str:
    if "*" not in tag:
        return tag
    return ", ".join(tag.replace("*", dotted(DIRECTIVE.sub("*", path)), 1) for path in paths)
