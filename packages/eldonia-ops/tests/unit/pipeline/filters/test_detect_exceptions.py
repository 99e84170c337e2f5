"""Stack traces become one event."""

import textwrap

import pytest
from fluent_conf import NOW_MS, batch, filter_with, made, texts
from hypothesis import given
from hypothesis import strategies as st

TRACES = {
    "java": """
        2026-12-01 10:00:00 ERROR com.shop.Cart: java.lang.IllegalStateException: no such cart
        \tat com.shop.Cart.find(Cart.java:42)
        \tat com.shop.Web.serve(Web.java:7)
        Caused by: java.io.IOException: gone
        \tat com.shop.Disk.read(Disk.java:3)
        \t... 12 more
    """,
    "javascript": """
        TypeError: Cannot read properties of undefined (reading 'id')
            at Cart.find (/app/cart.js:12:7)
            at async /app/web.js:3:1 {
          code: 'E_CART'
        }
    """,
    "dotnet": """
        Unhandled exception. System.InvalidOperationException: no such cart
         ---> System.IO.FileNotFoundException: gone
           at Shop.Disk.Read(String path) in /src/Disk.cs:line 3
           --- End of inner exception stack trace ---
           at Shop.Cart.Find() in /src/Cart.cs:line 42
    """,
    "python": """
        Traceback (most recent call last):
          File "/app/cart.py", line 42, in find
            raise KeyError(name)
        KeyError: 'cart'

        During handling of the above exception, another exception occurred:

        Traceback (most recent call last):
          File "/app/web.py", line 7, in serve
            find(name)
        shop.errors.NotFound: no such cart
    """,
    "go": """
        panic: runtime error: index out of range [5] with length 3
        [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x7fd34f]

        goroutine 1 [running]:
        main.find(...)
        \t/app/cart.go:42
        main.main()
        \t/app/main.go:7 +0x1d
        created by main.start in goroutine 1
        \t/app/start.go:5 +0x58
        exit status 2
    """,
    "ruby": """
        cart.rb:42:in `find': no such cart (Shop::NotFound)
        \tfrom web.rb:7:in `serve'
        \tfrom web.rb:12:in `<main>'
    """,
    "rails": """
        NoMethodError (undefined method `id' for nil:NilClass):

        app/controllers/carts_controller.rb:42:in `show'
        app/controllers/application_controller.rb:7:in `call'
    """,
    "php": """
        PHP Fatal error:  Uncaught Exception: no such cart in /app/cart.php:42
        Stack trace:
        #0 /app/web.php(7): find('cart')
        #1 {main}
          thrown in /app/cart.php on line 42
    """,
}


def lines_of(language: str) -> list[str]:
    return textwrap.dedent(TRACES[language]).strip("\n").split("\n")


def joined(lines: list[str], options: str = "", size: int = 1) -> list[str]:
    one = filter_with(f"@type detect_exceptions\nmessage log\n{options}")
    state, found = one.start(), []
    for at in range(0, len(lines), size):
        some, state = one.step(state, batch(*({"log": line} for line in lines[at : at + size])), NOW_MS)
        found += [event.record["log"] for event in some.events]
    last, _ = one.finished(state)
    return found + [event.record["log"] for _, some in last for event in some.events]


@pytest.mark.parametrize("language", sorted(TRACES))
def test_a_trace_between_other_lines_is_one_event(language: str):
    lines = lines_of(language)
    assert joined(["before", *lines, "after"]) == ["before", "\n".join(lines), "after"]


@pytest.mark.parametrize("language", sorted(TRACES))
def test_two_traces_are_two_events(language: str):
    lines = lines_of(language)
    assert joined([*lines, *lines], size=4) == ["\n".join(lines), "\n".join(lines)]


def test_languages_that_are_not_asked_for_are_left_alone():
    lines = lines_of("java")
    assert joined(lines, "languages python,go") == lines
    assert joined(lines_of("go"), "languages go") == ["\n".join(lines_of("go"))]
    found, problems = made("@type detect_exceptions\nlanguages cobol")
    assert found is None
    assert "stack traces of cobol are not known" in texts(problems)[0]


def test_lines_that_look_alike_are_no_traces():
    lines = ["Error rate: 5%", "  indented", "a goroutine", "panic button pressed", "from here", "#1 in sales", "done"]
    assert joined(lines) == lines


def test_lines_with_their_ends():
    lines = [f"{line}\n" for line in lines_of("python")]
    assert joined(lines) == ["".join(lines)]


def test_streams_bounds_and_time():
    one = filter_with("@type detect_exceptions\nstream id\nmultiline_flush_interval 2s\nmax_lines 3")
    trace = lines_of("java")
    found, state = one.step(one.start(), batch({"message": trace[0], "id": "a"}, {"message": "x", "id": "b"}), NOW_MS)
    assert [event.record["message"] for event in found.events] == ["x"]
    assert one.next_deadline(state) == NOW_MS + 2_000
    ((label, some),), _ = one.expired(state, NOW_MS + 2_000)
    assert (label, some.events[0].record["message"]) == ("", trace[0])
    assert len(joined(trace, "max_lines 3")) == 2


def test_records_without_the_field_pass():
    one = filter_with("@type detect_exceptions\nmessage log")
    found, _ = one.step(one.start(), batch({"other": 1}, {"log": None}), NOW_MS)
    assert len(found.events) == 2


@given(st.lists(st.sampled_from([line for language in TRACES for line in lines_of(language)] + ["plain"]), max_size=30))
def test_no_line_is_lost(lines: list[str]):
    assert "\n".join(joined(lines, size=7)) == "\n".join(lines)
