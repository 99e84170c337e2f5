"""Makes anything that a caller passes fit for a record: bounded, encodable, without secrets."""

import itertools
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from eldonia_telemetry.records import ErrorDetail
from eldonia_telemetry.redact import REDACTED, is_card_number, is_sensitive, known_names, redact_text

R = TypeVar("R")

MAX_TEXT: Final = 16_384
"""Characters kept of one text."""
MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 200
"""Entries kept of one mapping or sequence."""
MAX_NODES: Final = 4096
"""Values kept of one record; a text below its surface counts once more for every 64 characters."""
MAX_NESTED: Final = 3
"""How deep values may be described that are logged while a value is being described."""
MAX_STACK: Final = 32_768

_CHARACTERS_A_NODE: Final = 64
_SMALL: Final = 1_000_000_000_000
"""Integers below this have too few digits for a card number."""
_MAX_INT: Final = 2**63


class _Inside(threading.local):
    depth = 0


_inside = _Inside()


def text(value: object, *, redact: bool = True) -> str:
    """Any object as a bounded text without secrets. Never raises."""
    if not isinstance(value, str):
        try:
            value = foreign(str, value)
        except Exception as error:  # noqa: BLE001  a broken __str__ must not reach the host
            return f"<{type(value).__name__}: {type(error).__name__} in __str__>"
    if type(value) is not str:  # Django's SafeString, Markup: the encoder takes none, and their methods may do anything
        value = str.__str__(value)
    if len(value) > MAX_TEXT:
        value = f"{value[:MAX_TEXT]}… ({len(value) - MAX_TEXT} characters more)"
    return redact_text(value) if redact else value


def foreign(describe: Callable[[Any], R], value: object) -> R:
    """Call what may run the application's code, which may log, which may describe the same value again ….

    Raises:
        RecursionError: this is such a call within such a call within ….
    """
    depth = _inside.depth
    if depth >= MAX_NESTED:
        raise RecursionError("a record is being written while a record is being written")
    _inside.depth = depth + 1
    try:
        return describe(value)
    finally:
        _inside.depth = depth


def fields(given: Mapping[str, Any], *, redact: bool = True) -> dict[str, Any]:
    """A mapping fit for ``metadata``: JSON values only, bounded in depth and size (cycles end there). Never raises."""
    return _mapping(given, redact, 0, [MAX_NODES])


def _mapping(given: Mapping[Any, Any], redact: bool, depth: int, left: list[int]) -> dict[str, Any]:
    """``left`` holds how many more values may follow in the whole structure."""
    result: dict[str, Any] = {}
    sensitive = known_names
    try:
        for key, value in given.items():
            name = key if type(key) is str else text(key, redact=False)
            if len(result) >= MAX_ITEMS or left[0] <= 0:
                result["…"] = f"{len(given) - len(result)} entries more"
                break
            kind: type[Any] = type(value)
            if value is None:
                result[name] = None
            elif (
                redact
                and kind is not bool
                and (is_sensitive(name) if (known := sensitive.get(name)) is None else known)
            ):
                result[name] = REDACTED
            elif kind is str:
                if depth:
                    left[0] -= 1 + min(len(value), MAX_TEXT) // _CHARACTERS_A_NODE
                if len(value) > MAX_TEXT:
                    result[name] = text(value, redact=redact)
                else:
                    result[name] = redact_text(value) if redact else value
            elif kind is float or kind is bool or (kind is int and -_SMALL < value < _SMALL):
                left[0] -= depth > 0
                result[name] = value
            else:
                result[name] = _value(value, redact, depth + 1, left)
    except Exception as error:  # noqa: BLE001  changed by another thread meanwhile, or not much of a mapping
        result["…"] = f"<{type(given).__name__}: {type(error).__name__}>"
    return result


def _value(value: Any, redact: bool, depth: int, left: list[int]) -> Any:
    kind: type[Any] = type(value)
    if kind is int:
        if -_SMALL < value < _SMALL:
            return value
        if redact and 0 < value < 10**19 and is_card_number(str(value)):
            return REDACTED
        return value if -_MAX_INT <= value < _MAX_INT else text(value, redact=False)
    if kind is float or kind is bool or value is None:
        return value
    if left[0] <= 0:
        return "… (too much)"
    left[0] -= 1
    if kind is str:
        left[0] -= min(len(value), MAX_TEXT) // _CHARACTERS_A_NODE
        return text(value, redact=redact)
    if depth > MAX_DEPTH:
        return "… (too deep)"
    if kind is dict:
        return _mapping(value, redact, depth, left)
    if (kind is list or kind is tuple) and len(value) <= MAX_ITEMS:
        result: list[Any] = []
        for item in value:
            if type(item) is str and len(item) <= _CHARACTERS_A_NODE and left[0] > 0:
                left[0] -= 1
                result.append(redact_text(item) if redact else item)
            else:
                result.append(_value(item, redact, depth + 1, left))
        return result
    try:
        return _container_or_other(value, redact, depth, left)
    except Exception as error:  # noqa: BLE001  one odd value must not cost the record
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _container_or_other(value: Any, redact: bool, depth: int, left: list[int]) -> Any:
    if isinstance(value, Mapping):
        return _mapping(value, redact, depth, left)
    if isinstance(value, list | tuple | set | frozenset):
        kept = [_value(item, redact, depth + 1, left) for item in itertools.islice(value, MAX_ITEMS)]
        if len(value) > MAX_ITEMS:
            kept.append(f"… ({len(value) - MAX_ITEMS} more)")
        return kept
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {text(value, redact=redact)}"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    names = getattr(type(value), "__dataclass_fields__", None)
    if names is not None:
        return _mapping({name: getattr(value, name) for name in names if hasattr(value, name)}, redact, depth, left)
    if isinstance(value, msgspec.Struct):
        shown = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        return _mapping({name: getattr(value, field) for name, field in shown}, redact, depth, left)
    return _other(value, redact, depth, left)


def _other(value: Any, redact: bool, depth: int, left: list[int]) -> Any:
    """Dates, decimals, UUIDs, enumerations and subclasses of plain types as msgspec writes them; else ``str``."""
    try:
        plain = msgspec.to_builtins(value, str_keys=True)
    except (TypeError, ValueError, RecursionError, OverflowError):
        return text(value, redact=redact)
    if type(plain) is type(value):  # nothing gained; do not go round in circles
        return text(value, redact=redact)
    return _value(plain, redact, depth, left)


def exception(error: BaseException, *, code: object = None, redact: bool = True) -> ErrorDetail:
    """An exception as a record carries it, with its causes in the stack."""
    try:
        stack = "".join(foreign(traceback.format_exception, error))
    except Exception as failure:  # noqa: BLE001  a broken __str__ or __repr__ must not reach the host
        stack = f"<stack not available: {type(failure).__name__}>"
    if len(stack) > MAX_STACK:  # the end names the error, the beginning where it came from
        stack = f"{stack[: MAX_STACK // 2]}\n… \n{stack[-MAX_STACK // 2 :]}"
    if code is None:
        code = _code(error)
    return ErrorDetail(
        type(error).__name__,
        text(error, redact=redact),
        redact_text(stack) if redact else stack,
        None if code is None else text(code, redact=redact),
    )


def _code(error: BaseException) -> object:
    for name in ("code", "errno"):
        try:
            code = foreign(lambda it, name=name: getattr(it, name, None), error)
        except Exception:  # noqa: BLE001, S112  a property that raises has nothing to say
            continue
        if code is not None and not callable(code):
            return code
    return None


def encodable(value: Any) -> Any:
    """The same built-in structure with text that UTF-8 cannot express replaced (lone surrogates)."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encodable(item) for item in value]
    return value
