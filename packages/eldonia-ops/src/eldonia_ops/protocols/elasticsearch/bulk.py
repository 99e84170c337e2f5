"""The body of ``_bulk``, and the answer to it.

Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import structs

from eldonia_ops.model.foreign import too_many_values
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument
from eldonia_ops.protocols.elasticsearch.query.response_filter import filtered_answer

OPERATIONS: Final = frozenset({"index", "create", "update", "delete"})
MAX_ACTIONS: Final = 100_000
MAX_ACTION: Final = 64 * 1024
"""Bytes of the line of an action."""

_KNOWN: Final = frozenset(
    {"_index", "_id", "_type", "routing", "_routing", "version", "version_type", "if_seq_no", "if_primary_term"}
    | {"require_alias", "require_data_stream", "retry_on_conflict", "pipeline", "dynamic_templates", "op_type"}
    | {"list_executed_pipelines", "_source"}
)
_decode: Final = msgspec.json.Decoder().decode
_ENCODE: Final = msgspec.json.Encoder().encode
_KEPT: Final = 256
_NAME: Final = b'"_id"'


class Action(msgspec.Struct, frozen=True, gc=False):
    """What is to be done with a document. ``if_seq_no`` -1: whatever it is now.

    ``version`` is one that the sender counts, -1 for none; with ``or_same`` a document of that version is replaced,
    too. ``pipeline`` is the name of the ingest pipeline that is asked for, ``_none`` for none at all.
    """

    operation: str
    index: str
    id: str = ""
    if_seq_no: int = -1
    require_alias: bool = False
    pipeline: str = ""
    version: int = -1
    or_same: bool = False


def parse_bulk(
    body: bytes, index: str = "", *, require_alias: bool = False, pipeline: str = ""
) -> tuple[list[Action], list[bytes]]:
    """The actions of a body, and the line of the document of each (empty for ``delete``).

    ``index`` and ``pipeline`` are those of the request, for actions that name none.

    Raises:
        ElasticsearchError: a line is no action, the body does not end with a line break, or it has more values than
            there is memory for: nothing of it is done.
    """
    if not body.strip():
        raise ElasticsearchError(400, "parse_exception", "request body is required")
    if not body.endswith(b"\n"):
        raise illegal_argument("The bulk request must be terminated by a newline [\\n]")
    if too_many_values(body):
        reason = "the documents of the request have too many values together: send smaller requests"
        raise ElasticsearchError(413, "content_too_long_exception", reason)
    lines = body[:-1].split(b"\n")
    known: dict[bytes, Action] = {}
    alike: dict[tuple[bytes, bytes], Action] = {}
    actions: list[Action] = []
    documents: list[bytes] = []
    place, end = 0, len(lines)
    while place < end:
        line = lines[place]
        place += 1
        action = known.get(line)
        if action is None:
            if not line.strip():
                continue
            action = _alike(line, alike)
            if action is None:
                action = _action(line, place, index, require_alias, pipeline)
                if len(known) < _KEPT:
                    known[line] = action
                    _remember(line, action, alike)
        if action.operation == "delete":
            documents.append(b"")
        elif place < end:
            documents.append(lines[place].rstrip(b"\r"))
            place += 1
        else:
            raise illegal_argument(f"Malformed action/metadata line [{place}]: its document is missing")
        actions.append(action)
        if len(actions) > MAX_ACTIONS:
            raise illegal_argument(f"a request may have {MAX_ACTIONS:,} actions: send several")
    return actions, documents


def _action(line: bytes, number: int, index: str, require_alias: bool, pipeline: str) -> Action:
    where = f"Malformed action/metadata line [{number}]"
    if len(line) > MAX_ACTION:
        raise illegal_argument(f"{where}: it is longer than {MAX_ACTION:,} bytes")
    try:
        found = _decode(line)
    except (ValueError, RecursionError):
        raise illegal_argument(f"{where}, expected START_OBJECT: it is no JSON") from None
    if not isinstance(found, dict):
        raise illegal_argument(f"{where}, expected START_OBJECT but found [{_token(found)}]")
    if not found:
        raise illegal_argument(f"{where}, expected FIELD_NAME but found [END_OBJECT]")
    # What is behind the first name is not looked at: winston-elasticsearch writes its number of attempts there.
    operation, fields = next(iter(found.items()))
    if operation not in OPERATIONS:
        text = "expected field [create], [delete], [index] or [update] but found"
        raise illegal_argument(f"{where}, {text} [{operation[:100]}]")
    if not isinstance(fields, dict):
        raise illegal_argument(f"{where}, expected START_OBJECT but found [{_token(fields)}]")
    if unknown := next((key for key in fields if key not in _KNOWN), ""):
        raise illegal_argument(f"Action/metadata line [{number}] contains an unknown parameter [{unknown[:100]}]")
    name = fields.get("_index") or index
    if not isinstance(name, str) or not name:
        raise illegal_argument(f"{where}: index is missing")
    id = fields.get("_id")
    if isinstance(id, int) and not isinstance(id, bool):
        id = str(id)
    if id is not None and not isinstance(id, str):
        raise illegal_argument(f"{where}, expected a simple value for field [_id] but found [{_token(id)}]")
    seq_no = fields.get("if_seq_no", -1)
    named = fields.get("pipeline")
    version, or_same = external_version(fields.get("version"), fields.get("version_type"), where)
    return Action(
        operation,
        name,
        id or "",
        seq_no if type(seq_no) is int else -1,
        fields.get("require_alias", require_alias) in (True, "true"),
        named if isinstance(named, str) and named else pipeline,
        version,
        or_same,
    )


def _alike(line: bytes, alike: Mapping[tuple[bytes, bytes], Action]) -> Action | None:
    """The action of a line that is like another one but for its id."""
    if not alike or (parts := _around_id(line)) is None:
        return None
    before, id, behind = parts
    other = alike.get((before, behind))
    try:
        return structs.replace(other, id=id.decode()) if other is not None else None
    except UnicodeDecodeError:
        return None


def _remember(line: bytes, action: Action, alike: dict[tuple[bytes, bytes], Action]) -> None:
    parts = _around_id(line)
    if parts is not None and parts[1] == action.id.encode("utf-8", "replace"):
        alike[parts[0], parts[2]] = action


def _around_id(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """What is before, in and behind the text of the first ``_id``; None when it has anything but plain letters."""
    if (found := line.find(_NAME)) < 0:
        return None
    start = found + len(_NAME)
    start += 3 if line[start : start + 3] == b': "' else 2 if line[start : start + 2] == b':"' else len(line)
    end = line.find(b'"', start)
    id = line[start:end]
    if end <= start or b"\\" in id or min(id) < 32:
        return None
    return line[:start], id, line[end:]


def external_version(version: Any, type: Any, where: str = "request") -> tuple[int, bool]:
    """A version that the sender counts, -1 for none, and whether one of the same version is replaced, too.

    Raises:
        ElasticsearchError: it is no whole number, or not said to be the sender's own.
    """
    if version is None and type in (None, "internal"):
        return -1, False
    text = str(version)
    if type not in ("external", "external_gt", "external_gte"):
        raise illegal_argument(
            f"{where}: internal versioning can not be used for optimistic concurrency control: use [if_seq_no], or a "
            "[version_type] of [external]"
        )
    if not (text.isascii() and text.isdigit() and len(text) < 19) or isinstance(version, bool):
        raise illegal_argument(f"{where}: illegal version value [{text[:40]}] for version type [{type.upper()}]")
    return int(text), type == "external_gte"


def _token(value: Any) -> str:
    kinds = {
        str: "VALUE_STRING",
        int: "VALUE_NUMBER",
        float: "VALUE_NUMBER",
        bool: "VALUE_BOOLEAN",
        list: "START_ARRAY",
    }
    return kinds.get(type(value), "VALUE_NULL" if value is None else "START_OBJECT")


def written_item(operation: str, outcome: Mapping[str, Any]) -> bytes:
    """One item of the answer."""
    return b'{"%s":%s}' % (operation.encode(), msgspec.json.encode(outcome))


def created_items(operation: str, index: str, numbers: Sequence[int], ids: Sequence[str] = ()) -> list[bytes]:
    """The items of documents that are stored for the first time, by their numbers and, if they have any, their ids."""
    name = _ENCODE(index).decode().replace("%", "%%")
    id = "%s" if ids else '"e%014x"'
    text = f'{{"{operation}":{{"_index":{name},"_id":{id},"_version":1,' + (
        '"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":%d,"_primary_term":1,'
        '"status":201}}'
    )
    if not ids:
        return [(text % (number, number)).encode() for number in numbers]
    return [(text % (_ENCODE(own).decode(), number)).encode() for own, number in zip(ids, numbers, strict=True)]


def dropped_item(action: Action) -> bytes:
    """The item of a document that a pipeline dropped."""
    outcome = {
        "_index": action.index,
        "_id": action.id or None,
        "_version": -3,
        "result": "noop",
        "_shards": {"total": 0, "successful": 0, "failed": 0},
        "status": 200,
    }
    return written_item(action.operation, outcome)


def answer(items: list[bytes], took_ms: int, errors: bool, filter_path: str = "") -> bytes:
    """The body of the answer, or those parts of it that ``filter_path`` names."""
    head = b'{"errors":%s,"took":%d' % (b"true" if errors else b"false", took_ms)
    if not filter_path.strip():
        return b'%s,"items":[%s]}' % (head, b",".join(items))
    whole = {"errors": errors, "took": took_ms, "items": [_decode(item) for item in items]}
    return msgspec.json.encode(filtered_answer(whole, filter_path))
