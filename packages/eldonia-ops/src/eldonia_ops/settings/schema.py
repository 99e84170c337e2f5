"""A JSON Schema (draft 7) of eldonia-ops.yml, for editors that complete and check YAML.

Format: https://json-schema.org/draft-07/schema. Editors know that draft best. Whatever loads without an error fits the
schema; what refers to other fields, such as a probe that there is not, only the reader finds.
"""

import re
from dataclasses import MISSING
from typing import Any, Final

from eldonia_ops.settings.containers import Items, Section
from eldonia_ops.settings.declaration import declared
from eldonia_ops.settings.document import Settings
from eldonia_ops.settings.objects import Inline, Spread, object_schema

_LINK: Final = re.compile(r"\[([^\[\]]*+)\]\([^()]*+\)")


def settings_schema() -> dict[str, Any]:
    """The schema of the whole file."""
    found = object_schema(Settings)
    _add_defaults(found, Settings)
    return _plain_texts(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Settings of Eldonia Ops",
            "definitions": {
                "reference": {
                    "type": "string",
                    "pattern": r"\$\{",
                    "description": "A value with ${NAME} or ${NAME:-default} from the environment.",
                }
            },
            **found,
            "type": ["object", "null"],
        }
    )


def _add_defaults(schema: dict[str, Any], cls: type) -> None:
    for field in declared(cls):
        if isinstance(field.kind, Inline):
            _add_defaults(schema, field.kind.cls)
            continue
        if isinstance(field.kind, Spread):
            for key, part in field.kind.parts().items():
                if isinstance(part.kind, Items):
                    _add_defaults(schema["properties"][key]["anyOf"][0]["items"], part.kind.cls)
                elif isinstance(part.kind, Section):
                    _add_defaults(schema["properties"][key]["anyOf"][0], part.kind.cls)
            continue
        properties = schema["properties"]
        if field.setting.under:
            properties = properties[field.setting.under]["properties"]
        found = properties[field.key]
        if isinstance(field.kind, Section):
            _add_defaults(found["anyOf"][0], field.kind.cls)
        elif isinstance(field.kind, Items):
            _add_defaults(found["anyOf"][0]["items"], field.kind.cls)
        elif field.setting.default is not None or field.default not in (MISSING, None):
            found["default"] = (
                field.setting.default
                if field.setting.default is not None
                else field.kind.plain(field.default, lambda text: text)
            )


def _plain_texts(node: Any) -> Any:
    """The same with descriptions that hold no links."""
    if isinstance(node, dict):
        return {
            key: _LINK.sub(r"\1", value) if key == "description" and isinstance(value, str) else _plain_texts(value)
            for key, value in node.items()
        }
    return [_plain_texts(item) for item in node] if isinstance(node, list) else node
