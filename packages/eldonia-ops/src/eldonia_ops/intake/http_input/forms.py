"""Fields of a form in the body of a request: with names in one line, or with parts (RFC 7578). Pure."""

from typing import Final
from urllib.parse import parse_qs

from python_multipart.multipart import parse_options_header

from eldonia_ops.intake import IntakeError

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
_MOST_FIELDS: Final = 16
_MOST_HEADERS: Final = 4_096
_LONGEST_KIND: Final = 1_024


def is_form(content_type: str) -> bool:
    """Whether a body of this Content-Type is a form."""
    return content_type.partition(";")[0].strip().lower() in (URLENCODED, MULTIPART)


def form_fields(content_type: str, body: bytes) -> dict[str, bytes]:
    """The first value of each field, as bytes: a form may hold MessagePack.

    Raises:
        IntakeError: it is no such form, or has too many fields.
    """
    if content_type.partition(";")[0].strip().lower() == MULTIPART:
        return _of_parts(content_type, body)
    try:
        fields = parse_qs(body.decode("latin-1"), encoding="latin-1", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise IntakeError(f"the form has more than {_MOST_FIELDS} fields") from None
    return {name: values[0].encode("latin-1") for name, values in fields.items()}


def _of_parts(content_type: str, body: bytes) -> dict[str, bytes]:
    _, options = parse_options_header(content_type[:_LONGEST_KIND])
    if not (boundary := options.get(b"boundary")):
        raise IntakeError("the form names no boundary between its parts")
    mark = b"\r\n--" + boundary
    # Before the first mark there may be a preamble, and behind the last one anything.
    _, *parts = (b"\r\n" + body).split(mark, _MOST_FIELDS + 2)
    found: dict[str, bytes] = {}
    for number, part in enumerate(parts):
        if part.startswith(b"--"):
            return found
        if number >= _MOST_FIELDS:
            raise IntakeError(f"the form has more than {_MOST_FIELDS} parts")
        padding, _, rest = part.partition(b"\r\n")
        head, blank, value = (b"\r\n" + rest).partition(b"\r\n\r\n")
        name = _name(head[:_MOST_HEADERS])
        if padding.strip() or not blank or name is None:
            raise IntakeError("a part of the form has no Content-Disposition with a name")
        found.setdefault(name.decode("utf-8", "replace"), value)
    raise IntakeError("the form ends before its last boundary")


def _name(headers: bytes) -> bytes | None:
    """The name of a part by its Content-Disposition; None without one."""
    for line in headers.split(b"\r\n"):
        header, _, value = line.partition(b":")
        if header.strip().lower() == b"content-disposition":
            kind, options = parse_options_header(value.strip())
            return options.get(b"name") if kind == b"form-data" else None
    return None
