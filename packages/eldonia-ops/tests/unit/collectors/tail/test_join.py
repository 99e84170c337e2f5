import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.collectors.tail.files import TailLine
from eldonia_ops.collectors.tail.join import (
    DEFAULT_BOUNDS,
    MAX_HELD,
    NOTHING,
    JoinBounds,
    all_held,
    given_up,
    joined,
    joined_lines,
)

STAMP = "2026-11-29T00:49:23,281"


def lines_of(*texts):
    found, at = [], 0
    for text in texts:
        data = text if isinstance(text, bytes) else text.encode()
        at += len(data) + 1
        found.append(TailLine(at, data))
    return found


def records(*texts, bounds=DEFAULT_BOUNDS):
    found, state = joined_lines(NOTHING, lines_of(*texts), 0.0, bounds)
    return [line.data.decode() for line in [*found, *all_held(state)]]


def docker(text, stream="stdout"):
    return json.dumps({"log": text, "stream": stream, "time": "2026-11-29T00:00:03Z"}, separators=(",", ":"))


def cri(text, tag="F", stream="stdout"):
    return f"2026-11-29T00:00:02.5Z {stream} {tag} {text}"


PYTHON = [
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in f',
    "    g(x)",
    "    ~^^^",
    "app.errors.Boom: no",
    "During handling of the above exception, another exception occurred:",
    "Traceback (most recent call last):",
    '  File "a.py", line 3, in f',
    "    raise",
    "KeyError",
]
JAVA = [
    "java.lang.IllegalStateException: late",
    "\tat A.b(A.java:1)",
    "\tSuppressed: java.lang.Exception: x",
    "\t\tat A.c(A.java:2)",
    "Caused by: java.io.IOException: refused",
    "\t... 2 more",
]
JAVASCRIPT = ["TypeError: x is not a function", "    at f (/srv/a.js:1:2)", "    at g (/srv/a.js:3:4)"]
GO = ["panic: boom", "goroutine 1 [running]:", "main.f(0x1, {0x2, 0x3})", "\t/srv/a.go:5 +0x1d", "exit status 2"]
DOTNET = ["Unhandled exception. System.InvalidOperationException: no", "   at A.B() in /srv/a.cs:line 1"]
RUBY = ["a.rb:1:in `f': no (RuntimeError)", "\tfrom a.rb:5:in `<main>'"]
STACKS = {"python": PYTHON, "java": JAVA, "javascript": JAVASCRIPT, "go": GO, "dotnet": DOTNET, "ruby": RUBY}


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
def test_a_stack_trace_is_one_record(stack):
    after = f"{STAMP} INFO next"
    assert records(*stack, after) == ["\n".join(stack), after]
    assert records("{}", *stack, "{}") == ["{}", "\n".join(stack), "{}"]


@pytest.mark.parametrize("stack", [PYTHON, JAVA, JAVASCRIPT, DOTNET], ids=["python", "java", "javascript", "dotnet"])
def test_a_stack_trace_belongs_to_the_record_above_it(stack):
    before, head, after = f"{STAMP} INFO a", f"{STAMP} ERROR b", f"{STAMP} INFO c"
    assert records(before, head, *stack, after) == [before, "\n".join([head, *stack]), after]


def test_a_traceback_that_was_cut_off_does_not_take_the_next_record():
    after = f"{STAMP} INFO next"
    assert records(*PYTHON[:4], after) == ["\n".join(PYTHON[:4]), after]


def test_a_traceback_belongs_to_a_line_of_pythons_own_form():
    assert records("ERROR:root:failed", *PYTHON, "INFO:root:next") == [
        "\n".join(["ERROR:root:failed", *PYTHON]),
        "INFO:root:next",
    ]


def test_indented_lines_continue_what_begins_with_an_instant():
    statement = ["2026-11-29 00:00:01 UTC [12] LOG:  statement: SELECT a", "\t  FROM b", "\t WHERE c"]
    assert records(*statement, "2026-11-29 00:00:02 UTC [12] LOG:  done") == [
        "\n".join(statement),
        "2026-11-29 00:00:02 UTC [12] LOG:  done",
    ]


@pytest.mark.parametrize(
    "texts",
    [
        [f"{STAMP} INFO a", f"{STAMP} INFO b"],
        ["    INFO padded", " WARNING padded", "   ERROR padded"],
        ["plain", "  indented below a line without an instant"],
        ["ValueError: one", "ValueError: two"],
        ["one", "Traceback (most recent call last):"],
        ["one", "Caused by: nothing that is known"],
        ['{"log":"an application\'s own"}', '{"log":"x","stream":"s"}'],
        [docker("a\n"), docker("b\n", "stderr"), docker("ends with \\\\ and a line end\n")],
        [cri("a"), cri("b", "F", "stderr"), cri("", "F")],
        ["2026-11-29Tnot-an-instant-at-all stdout P text", "next"],
    ],
)
def test_what_does_not_belong_together_stays_apart(texts):
    assert records(*texts) == texts


def test_parts_of_docker_lines_are_joined_though_streams_alternate():
    one = [docker("first "), docker("second "), docker("third\n")]
    other = [docker("e1 ", "stderr"), docker("e2\n", "stderr")]
    assert records(one[0], other[0], one[1], other[1], one[2], docker("x\n")) == [
        "\n".join(other),
        "\n".join(one),
        docker("x\n"),
    ]


def test_a_backslash_before_an_n_is_no_line_end():
    parts = [docker("C:\\new\\n"), docker("ext\n")]
    assert parts[0].startswith('{"log":"C:\\\\new\\\\n"')
    assert records(*parts) == ["\n".join(parts)]


def test_parts_of_cri_lines_are_joined_though_streams_alternate():
    one = [cri("first ", "P"), cri("second ", "P:x"), cri("third", "F")]
    other = [cri("e1 ", "P", "stderr"), cri("e2", "F", "stderr")]
    assert records(one[0], other[0], one[1], one[2], other[1], cri("x")) == [
        "\n".join(one),
        "\n".join(other),
        cri("x"),
    ]


def test_containers_can_be_left_alone():
    texts = [docker("a"), docker("b\n"), cri("a", "P"), cri("b")]
    assert records(*texts, bounds=JoinBounds(containers=False)) == texts


def test_what_is_held_back_is_given_up_after_a_silence():
    first, second, third = lines_of(cri("a", "P"), cri("e", "F", "stderr"), cri("b", "P"))
    found, state = joined(NOTHING, first, 10.0)
    assert (found, given_up(state, 11.9)) == ([], ([], state))
    found, state = joined(state, second, 11.0)
    assert found == []
    found, state = joined(state, third, 11.5)
    assert given_up(state, 13.4) == ([], state)
    found, state = given_up(state, 13.5)
    assert [line.offset for line in found] == [second.offset, third.offset]
    assert state == NOTHING
    assert given_up(state, 99.0) == ([], NOTHING)


def test_a_line_that_was_cut_joins_nothing():
    cut = TailLine(100, cri("a", "P").encode(), dropped=5)
    assert joined(NOTHING, cut) == ([cut], NOTHING)
    head, frame = lines_of(f"{STAMP} ERROR a", "\tat b.c")
    _, state = joined(NOTHING, head)
    long = TailLine(frame.offset, frame.data, dropped=9)
    assert joined(state, long)[0] == [head, long]


def test_one_line_that_is_never_completed_holds_back_few_others():
    texts = [cri("never", "P"), *(cri(f"{n}", "F", "stderr") for n in range(3 * MAX_HELD))]
    found, state = joined_lines(NOTHING, lines_of(*texts), 0.0)
    assert len(found) > MAX_HELD
    assert found[0].data == texts[0].encode()
    assert len(state.held) <= MAX_HELD


@pytest.mark.parametrize("bounds", [JoinBounds(lines=10), JoinBounds(bytes=300)])
@pytest.mark.parametrize("part", [cri("part", "P"), docker("part"), "\tat a.b(A.java:1)"])
def test_a_record_has_bounds_beyond_which_another_begins(part, bounds):
    head = f"{STAMP} ERROR a" if part[0] == "\t" else part
    found = records(head, *[part] * 100, bounds=bounds)
    assert len(found) > 5
    assert "\n".join(found) == "\n".join([head, *[part] * 100])
    assert max(record.count("\n") + 1 for record in found) <= bounds.lines
    assert max(map(len, found)) <= bounds.bytes


kinds = st.sampled_from(
    [
        lambda n: cri(f"p{n}", "P"),
        lambda n: cri(f"f{n}", "F"),
        lambda n: cri(f"p{n}", "P", "stderr"),
        lambda n: cri(f"f{n}", "F", "stderr"),
        lambda n: docker(f"d{n}"),
        lambda n: docker(f"d{n}\n"),
        lambda n: docker(f"d{n}", "stderr"),
        lambda n: docker(f"d{n}\n", "stderr"),
        lambda n: json.dumps({"message": n}),
        lambda n: f"{STAMP} ERROR {n}",
        lambda n: f"plain {n}",
        lambda n: f"\tat a.b(A.java:{n})",
        lambda n: f"  indented {n}",
        lambda n: "Traceback (most recent call last):",
        lambda n: f'  File "a.py", line {n}',
        lambda n: f"ValueError: {n}",
        lambda n: f"Caused by: a.B: {n}",
        lambda n: f"goroutine {n} [running]:",
        lambda n: f"main.f({n})",
        lambda n: "x" * n,
    ]
)
small = st.builds(
    JoinBounds, lines=st.integers(2, 12), bytes=st.integers(200, 2_000), seconds=st.integers(1, 4).map(float)
)


@given(st.lists(st.tuples(kinds, st.integers(0, 2)), max_size=60), small, st.data())
def test_nothing_is_lost_doubled_or_overtaken_wherever_it_stops(chosen, bounds, data):
    lines = lines_of(*(kind(number) for number, (kind, _) in enumerate(chosen)))
    stop = data.draw(st.integers(0, len(lines)))
    done: list[TailLine] = []
    now = 0.0

    def feed(position, some):
        """What is handed out of the lines behind a position, and what is held back at the end."""
        nonlocal now
        state = NOTHING
        for line, (_, pause) in zip(lines[:some], chosen, strict=False):
            if line.offset <= position:
                continue
            now += pause
            found, state = given_up(state, now, bounds)
            done.extend(found)
            found, state = joined(state, line, now, bounds)
            done.extend(found)
            held = sorted(part.offset for one in state.held for part in one.lines)
            # A restart from the last offset that was handed out begins with the lines that are held back.
            assert held == [one.offset for one in lines if (done[-1].offset if done else 0) < one.offset <= line.offset]
            assert len(state.held) <= MAX_HELD + 1
        return state

    feed(0, stop)
    state = feed(done[-1].offset if done else 0, len(lines))  # killed, and started again
    done.extend(all_held(state))
    assert [line.offset for line in done] == sorted({line.offset for line in done})
    parts = sorted(part for line in done for part in line.data.split(b"\n"))
    assert parts == sorted(line.data for line in lines)
    for line in done:
        assert line.data.count(b"\n") < bounds.lines
        assert b"\n" not in line.data or len(line.data) <= bounds.bytes


@given(st.lists(kinds, max_size=60), st.integers(1, 9), small)
def test_how_the_file_is_read_changes_nothing(chosen, size, bounds):
    lines = lines_of(*(kind(number) for number, kind in enumerate(chosen)))
    found, state = [], NOTHING
    for at in range(0, len(lines), size):
        some, state = joined_lines(state, lines[at : at + size], 0.0, bounds)
        found += some
    assert (found, state) == joined_lines(NOTHING, lines, 0.0, bounds)


def starts(data: bytes) -> bool:
    return data.startswith(b">")


@given(st.lists(st.sampled_from([">a", "b", ">", ""]), max_size=20), st.integers(1, 5))
def test_lines_by_what_begins_a_text(texts, size):
    bounds = JoinBounds(begins=starts)
    lines = lines_of(*texts)
    found, state = [], NOTHING
    for at in range(0, len(lines), size):
        some, state = joined_lines(state, lines[at : at + size], float(at), bounds)
        found += some
    found += all_held(state)
    wanted = []
    for text in texts:
        if wanted and not text.startswith(">"):
            wanted[-1] += "\n" + text
        else:
            wanted.append(text)
    assert [line.data.decode() for line in found] == wanted
    # The offset of a text is that behind its last line: a place to start again from.
    assert [line.offset for line in found][-1:] == [line.offset for line in lines][-1:]


def test_a_text_that_waits_for_too_long_is_given_up():
    bounds = JoinBounds(begins=starts, seconds=5)
    found, state = joined_lines(NOTHING, lines_of(">a", "b"), 10.0, bounds)
    assert found == []
    found, state = joined_lines(state, [], 12.0, bounds)
    assert given_up(state, 14.9, bounds)[0] == []
    assert [line.data for line in given_up(state, 15.0, bounds)[0]] == [b">a\nb"]


def test_a_text_is_bounded_and_with_off_nothing_is_joined():
    bounds = JoinBounds(begins=starts, lines=2)
    found, state = joined_lines(NOTHING, lines_of(">a", "b", "c"), 0.0, bounds)
    assert [line.data for line in [*found, *all_held(state)]] == [b">a\nb", b"c"]
    lines = lines_of(f"{STAMP} ERROR x", "  at y", '{"log":"a","stream":"stdout","time":"t"}')
    assert joined_lines(NOTHING, lines, 0.0, JoinBounds(off=True)) == (lines, NOTHING)
