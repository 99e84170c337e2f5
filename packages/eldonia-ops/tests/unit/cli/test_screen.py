"""What strangers wrote is shown and not obeyed."""

import io
import json
import logging
import sys

import pytest
from rich.table import Table
from rich.text import Text

from eldonia_ops.cli.screen import OneLineFormatter, Screen, readable, safe_json
from eldonia_ops.cli.session import console, print_json, print_table

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe [bold]b[/] [/x] [link=file:///etc/passwd]l[/link] :bomb: \x00\r"


def controls(text: str) -> set[str]:
    return {char for char in text if (ord(char) < 0x20 and char not in "\n\t") or 0x7F <= ord(char) < 0xA0}


@pytest.mark.parametrize("terminal", [False, True])
def test_text_tables_and_styles_reach_the_terminal_without_orders(terminal: bool) -> None:
    out = io.StringIO()
    screen = Screen(file=out, force_terminal=terminal, width=200, color_system=None)
    table = Table(box=None)
    table.add_column(HOSTILE)
    table.add_row(Text(HOSTILE))
    for shown in (HOSTILE, Text(HOSTILE), table):
        screen.print(shown)
    text = out.getvalue()
    assert not controls(text), controls(text)
    assert "\u202e" not in text
    assert text.count("[bold]b[/] [/x] [link=file:///etc/passwd]") == 4
    assert ":bomb:" in text


def test_own_styles_still_work() -> None:
    out = io.StringIO()
    Screen(file=out, force_terminal=True, color_system="standard").print("a\x1bb", style="red")
    assert out.getvalue() == "\x1b[31ma\u241bb\x1b[0m\n"


def test_commands_print_through_it(capsys: pytest.CaptureFixture[str]) -> None:
    console().print(HOSTILE)
    print_table((HOSTILE,), [(HOSTILE,)], empty="")
    print_json({"message": HOSTILE})
    text = capsys.readouterr().out
    assert not controls(text)
    assert "\u202e" not in text


def test_json_reads_back_the_same() -> None:
    assert json.loads(safe_json(json.dumps(HOSTILE, ensure_ascii=False))) == HOSTILE


def test_a_log_line_is_one_line() -> None:
    record = logging.makeLogRecord({"msg": "refused: %s", "args": ("x\nERROR forged\x1b[2J",), "levelname": "WARNING"})
    try:
        raise ValueError("y\x1b[2J")
    except ValueError:
        record.exc_info = sys.exc_info()
    first, *traceback = OneLineFormatter("%(levelname)s %(message)s").format(record).split("\n")
    assert first == "WARNING refused: x\u240aERROR forged\u241b[2J"
    assert traceback[-1] == "ValueError: y\u241b[2J"


def test_lines_and_tabs_stay() -> None:
    assert readable("a\n\tb") == "a\n\tb"
