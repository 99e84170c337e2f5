"""Markdown of people, and of those who mean harm."""

import time

import pytest

from eldonia_ops.web.markdown import to_html

NASTY = {
    "images": "![" * 200_000,
    "images, fewer": "![" * 9_000,
    "links": "[a](" * 4_900,
    "nested links": "[a" * 9_000 + "]" * 9_000,
    "references": '[a]: /x "' + "t" * 40_000 + '"\n\n' + "[a] " * 15_000,
    "definitions": "[a]:\n" * 20_000,
    "a wide table": "|" + "a|" * 1_000 + "\n|" + "-|" * 1_000 + "\n" + "a\n" * 40_000,
    "emphasis": "*a **b " * 6_000,
    "stars": "a" + "*" * 19_000,
    "code": "`a " * 19_000,
    "code of all lengths": " ".join("`" * number for number in range(1, 190)),
    "quotes": ">" * 100_000,
    "lists": "".join("  " * depth + "- a\n" for depth in range(300)),
    "spaces": " " * 100_000 + "a",
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_a_text_that_is_made_to_take_long_does_not(text: str) -> None:
    started = time.process_time()
    html = to_html(text)
    assert time.process_time() - started < 15  # it takes one at most; it took minutes
    assert len(html) < 5_000_000
    assert "<script" not in html


def test_a_long_postmortem_is_rendered() -> None:
    part = "# T\n\nSome *text* with `code` and [a](http://x).\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    html = to_html((part * 1_200)[:100_000])
    assert html.count("<table>") > 1_000
    assert html.startswith("<h1>T</h1>\n<p>Some <em>text</em> with <code>code</code>")


def test_what_is_not_rendered_is_shown_as_it_is_written() -> None:
    assert to_html("<script>![" * 20_000).startswith("<pre>&lt;script&gt;![")
