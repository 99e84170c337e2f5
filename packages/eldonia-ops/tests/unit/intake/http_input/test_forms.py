"""Forms with parts, as other programs write them, and what is none."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.intake import IntakeError
from eldonia_ops.intake.http_input.decode import decode_events
from eldonia_ops.intake.http_input.forms import form_fields, is_form

KIND = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="json"\r\n\r\n{"a": 1}\r\n'


def written(files: dict[str, tuple[str | None, bytes]]) -> tuple[str, bytes]:
    """The form as httpx writes it: Content-Type and body."""
    request = httpx.Request("POST", "http://x/", files=files)
    return request.headers["content-type"], request.read()


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters='"\r\n\\', exclude_categories=("Cc",)), min_size=1),
        st.tuples(st.one_of(st.none(), st.just("a.json")), st.binary(max_size=300)),
        min_size=1,
        max_size=16,
    )
)
def test_what_a_client_writes_is_read_as_it_was(files: dict[str, tuple[str | None, bytes]]) -> None:
    kind, body = written(files)
    assert is_form(kind)
    assert form_fields(kind, body) == {name: value for name, (_, value) in files.items()}


@given(st.binary(max_size=200), st.sampled_from([KIND, 'multipart/form-data; boundary="a b"', "multipart/form-data"]))
def test_a_body_without_marks_is_refused_in_words(body: bytes, kind: str) -> None:
    with pytest.raises(IntakeError, match=r"^(the form|a part of the form) "):
        form_fields(kind, body.replace(b"--", b""))


def test_a_name_inside_of_the_name_of_a_file_is_none() -> None:
    odd = PART.replace(b'name="json"', b'filename="a; name=other.txt"; name="json"')
    assert form_fields(KIND, odd + b"--x--") == {"json": b'{"a": 1}'}


def test_line_ends_marks_and_quotes_in_values_stay() -> None:
    value = b'\r\n--\r\n--y\r\n"--x'
    body = b"a preamble\r\n" + PART.replace(b'{"a": 1}', value) + b"--x-- and what follows"
    assert form_fields(KIND, body) == {"json": value}
    assert form_fields('multipart/form-data; charset=utf-8; boundary="x"', PART + b"--x--") == {"json": b'{"a": 1}'}
    plain = PART.replace(b'name="json"', b"name=json").replace(b"Content-D", b"X: y\r\ncontent-d")
    assert decode_events(KIND, plain + b"--x--\r\n") == [{"a": 1}]


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("multipart/form-data", PART, "names no boundary"),
        (KIND, PART, "before its last boundary"),
        (KIND, b"", "before its last boundary"),
        (KIND, PART * 17 + b"--x--", "more than 16 parts"),
        (KIND, PART * 500 + b"--x--", "more than 16 parts"),
        (KIND, b"--x\r\n\r\nvalue\r\n--x--", "no Content-Disposition"),
        (KIND, b"--x\r\n" + b"A: b\r\n" * 2_000 + PART[5:] + b"--x--", "no Content-Disposition"),
        (KIND, PART.replace(b"json", b"text") + b"--x--", "'json', 'ndjson' or 'msgpack' parameter is required"),
    ],
)
def test_what_is_wrong_is_said(kind: str, body: bytes, said: str) -> None:
    with pytest.raises(IntakeError, match=said):
        decode_events(kind, body)
