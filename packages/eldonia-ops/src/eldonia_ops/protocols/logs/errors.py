"""The exception that a JSON log line carries, in the many places where loggers put it."""

import re
from typing import Any, Final

import msgspec

from eldonia_ops.model.logs import LogError
from eldonia_ops.protocols.logs.names import Document, beginnings

_OBJECTS: Final = ("error", "err", "exception", "thrown", "throwable", "excinfo", "exc")
_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("name", "type", "kind", "class", "classname", "exceptionclass", "exctype", "errortype", "exceptiontype"),
    "message": ("message", "msg", "exceptionmessage", "excvalue", "localizedmessage", "value", "reason"),
    "stack": (
        "stack",
        "stacktrace",
        "backtrace",
        "traceback",
        "extendedstacktrace",
        "steparray",
        "frames",
        "stackframes",
    ),
    "code": ("code", "errno"),
}
_DOTTED: Final[dict[str, tuple[str, ...]]] = {
    "name": ("error.type", "error.kind", "error.name", "exception.type", "exception.class"),
    "message": ("error.message", "error.msg", "exception.message"),
    "stack": ("error.stacktrace", "error.stack", "exception.stacktrace"),
    "code": ("error.code", "exception.code"),
}
# Keys beside the message whose text is a stack.
_STACKS: Final = (
    "stacktrace",
    "stack",
    "exception",
    "excinfo",
    "exctext",
    "errorverbose",
    "traceback",
    "backtrace",
    "errorstack",
    "throwable",
    "thrown",
    "x",
)
_TEXTS: Final = ("error", "err", "exception", "errormessage", "exc", "thrown", "throwable", "excinfo")
ERROR_KEYS: Final = frozenset((*_OBJECTS, *_TEXTS, *_STACKS)).union(*(beginnings(names) for names in _DOTTED.values()))
"""The names of keys that may describe an exception."""

_HEADER = re.compile(
    r"(?:Exception in thread \"[^\"\n]{0,200}\" |Caused by: |Unhandled exception\.? |Uncaught )?"
    r"((?:[A-Za-z_$][\w$]{0,99}(?:\.|::)){0,20}+[A-Z_$a-z][\w$]{0,99})(?:: ?(.*))?"
)
_FRAME = re.compile(r"\s(?:at |File \"|\.\.\. \d{1,9} )|goroutine \d")
_NAMED = re.compile(r"(?:Exception|Error|Throwable|Failure|Fault|Warning|Interrupt|Exit|panic)$")
_LONGEST_HEADER: Final = 2_000
_MAX_FRAMES: Final = 200


def take_error(document: Document) -> LogError | None:
    """Take what describes an exception out of a document, or None when it names none."""
    if document.names().isdisjoint(ERROR_KEYS):
        return None  # as nearly always
    parts: dict[str, str] = {}
    for field, names in _DOTTED.items():
        for place, value in document.found(names):
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                place.take()
                parts[field] = str(value)
                break
            if field == "stack" and isinstance(value, list):
                place.take()
                parts[field] = stack_text(value)
                break
    for name in _OBJECTS:
        value = document.get(name)
        if isinstance(value, dict):
            taken = _of_object(value)
            if taken:
                parts = {**taken, **parts}
                if not value:
                    document.pop(name)
            break
        if isinstance(value, list) and value and isinstance(value[0], dict) and "exc_type" in value[0]:
            document.pop(name)
            parts = {**_of_structlog(value), **parts}
            break
    for name in _TEXTS:
        value = document.get(name)
        if isinstance(value, str) and value and not is_stack(value):
            document.pop(name)
            parts.setdefault("message", value)
            break
    if "stack" not in parts:
        for name in _STACKS:
            value = document.get(name)
            if isinstance(value, str) and (is_stack(value) or (name == "stacktrace" and value)):
                document.pop(name)
                parts["stack"] = value
                break
            if isinstance(value, list) and value and name in ("stack", "stacktrace", "backtrace"):
                document.pop(name)
                parts["stack"] = stack_text(value)
                break
    if "stack" in parts and not ("name" in parts and "message" in parts):
        found_name, found_message = header_of(parts["stack"])
        if found_name and "message" not in parts:
            parts["message"] = found_message
        if found_name and "name" not in parts:
            parts["name"] = found_name
    return LogError(**parts) if any(parts.values()) else None


def is_stack(text: str) -> bool:
    """Whether a text is a stack trace of Python, Java, JavaScript, .NET, Ruby or Go rather than a sentence."""
    return "\n" in text and (text.startswith("Traceback (") or _FRAME.search(text) is not None)


def header_of(stack: str) -> tuple[str, str]:
    """Name and message of the exception that a stack trace is of; empty when it has no such line.

    Python writes them below the frames, other languages above.
    """
    if "Traceback (most recent call last):" in stack[:_LONGEST_HEADER]:
        tail = stack[-8 * _LONGEST_HEADER :].rstrip().split("\n")
        # The last line without indentation; a message may go on for several lines below it.
        for line in reversed(tail):
            match = _HEADER.fullmatch(line[:_LONGEST_HEADER])
            if (
                match is not None
                and line[:1] not in (" ", "\t")
                and (match[2] is not None or "." in line or tail[-1] is line)
            ):
                return match[1], match[2] or ""
        return "", ""
    first = stack.lstrip()[:_LONGEST_HEADER].split("\n", 1)[0].rstrip()
    match = _HEADER.fullmatch(first)
    if match is None or not (_NAMED.search(match[1]) or ("." in match[1] and match[2] is not None)):
        return "", ""
    return match[1], match[2] or ""


def stack_text(frames: list[Any]) -> str:
    """Frames of a stack that a logger wrote as a list, one a line."""
    lines = [_frame(frame) for frame in frames[:_MAX_FRAMES]]
    if len(frames) > _MAX_FRAMES:
        lines.append(f"… {len(frames) - _MAX_FRAMES} more")
    return "\n".join(lines)


def _frame(frame: Any) -> str:
    if isinstance(frame, str):
        return frame
    if not isinstance(frame, dict):
        return msgspec.json.encode(frame).decode()
    document = Document(dict(frame))

    def first(*names: str) -> str:
        return next((str(value) for name in names if isinstance(value := document.get(name), str | int)), "")

    file = first("filename", "file", "source", "path", "fileName".lower())
    line = first("lineno", "line", "linenumber")
    function = first("function", "func", "methodname", "method", "name")
    owner = first("classname", "class")
    where = f"{file}:{line}" if line else file
    called = f"{owner}.{function}" if owner and function else function or owner
    if not (where or called):
        return msgspec.json.encode(frame).decode()
    return f"    at {called} ({where})" if called and where else f"    at {called or where}"


def _of_object(value: dict[str, Any]) -> dict[str, str]:
    inner = Document(value)
    parts: dict[str, str] = {}
    for field, names in _PARTS.items():
        for place, item in inner.found(names):
            if field == "stack" and isinstance(item, list):
                place.take()
                parts[field] = stack_text(item)
                break
            if isinstance(item, str | int | float) and not isinstance(item, bool):
                place.take()
                parts[field] = str(item)
                break
    return parts


def _of_structlog(stacks: list[Any]) -> dict[str, str]:
    """structlog's ``dict_tracebacks``: the exception itself is first, those that caused it follow."""
    first = stacks[0]
    lines: list[str] = []
    for stack in stacks[:16]:
        if not isinstance(stack, dict):
            continue
        frames = stack.get("frames")
        lines.append("Traceback (most recent call last):")
        for frame in (frames if isinstance(frames, list) else [])[:_MAX_FRAMES]:
            if isinstance(frame, dict):
                place = f'  File "{frame.get("filename", "")}", line {frame.get("lineno", "")}'
                lines.append(f"{place}, in {frame.get('name', '')}")
        lines.append(f"{stack.get('exc_type', '')}: {stack.get('exc_value', '')}")
    return {
        "name": str(first.get("exc_type", "")),
        "message": str(first.get("exc_value", "")),
        "stack": "\n".join(lines),
    }
