"""Which values of a configuration file are secrets, by the names of their keys."""

import re
from typing import Final

from eldonia_ops.model.concealed import Concealed
from eldonia_ops.protocols.yaml_nodes import YamlNode

SECRET_KEY: Final = re.compile(
    r"password|passwd|secret|token|_key$|^key$|credential|dsn|api_url|webhook_url|authori[sz]ation|headers|environment"
    r"|basic_auth|proxy_url|^state$|^telemetry$|^url$|^body$",
    re.IGNORECASE,
)
HOLDS_NAMES: Final = re.compile(r"headers?$|environment|basic_auth|authori[sz]ation", re.IGNORECASE)
"""Of these keys the values are mappings, whose keys are no secrets."""
_LEAST: Final = 8
"""Shorter values below such keys are words more often than secrets: ``state: sqlite``, ``telemetry: chdb``."""
_ONLY_NAME: Final = re.compile(r"\$\{\w+\}")
_FILE: Final = re.compile(r"_file$", re.IGNORECASE)


def conceal_values(document: YamlNode, concealed: Concealed) -> None:
    """Add every value below such a key, as written; paths of ``..._file`` keys are none."""
    seen: set[tuple[int, bool, bool]] = set()
    waiting: list[tuple[YamlNode, bool, bool]] = [(document, False, False)]
    while waiting:
        node, hidden, hides_keys = waiting.pop()
        if (id(node), hidden, hides_keys) in seen:
            continue
        seen.add((id(node), hidden, hides_keys))
        for key, value in node.pairs:
            secret = bool(SECRET_KEY.search(key.text)) and not _FILE.search(key.text)
            waiting.append((value, hidden or secret, hides_keys or (secret and not HOLDS_NAMES.search(key.text))))
            if hides_keys:
                _conceal(key, concealed)
        waiting.extend((item, hidden, hides_keys) for item in node.elements())
        if hidden:
            _conceal(node, concealed)


def _conceal(node: YamlNode, concealed: Concealed) -> None:
    if node.is_scalar and len(node.text) >= _LEAST and not _ONLY_NAME.fullmatch(node.text):
        concealed.add(node.text)
