"""Which values of a configuration file are secrets, by the names of their keys."""

import re
from typing import Final

from eldonia_ops.model.concealed import Concealed
from eldonia_ops.protocols.yaml_nodes import YamlNode

SECRET_KEY: Final = re.compile(
    r"password|passwd|secret|token|_key$|^key$|credential|dsn|api_url|webhook_url|authori[sz]ation|headers?|environment"
    r"|basic_auth|proxy_url|^state$|^telemetry$|^url$|^body$",
    re.IGNORECASE,
)
_HOLDS_NAMES: Final = re.compile(r"headers?$|environment|basic_auth|authori[sz]ation", re.IGNORECASE)
"""Of these keys the values are mappings, whose keys are no secrets."""
_KEY_NAME: Final = re.compile(r"[A-Za-z_<][\w.<-]{0,63}")
_LEAST: Final = 8
"""Shorter values below such keys are words more often than secrets: ``state: sqlite``, ``telemetry: chdb``."""
_PAIR: Final = re.compile(r"[\w.-]{1,64}(?:\s+:(?!//)|:(?=['\"{\[&*|>!%@`#]))")
_DEFAULT: Final = re.compile(r":-([^{}]++)")
"""Of ``${NAME:-default}``, also where a slip of the keyboard keeps it from being one."""
_NO_SECRET: Final = re.compile(r"\$\{\w+\}|\w+://")
"""A variable that is named, and an address without a host."""
_FILE: Final = re.compile(r"_file$", re.IGNORECASE)


def mistaken_pair(node: YamlNode) -> str:
    """The value in a text that was meant to be a key with a value, ``token:'x'`` or ``token :x``; '' for any other."""
    match = _PAIR.match(node.text) if node.is_scalar else None
    return node.text[match.end() :].strip() if match else ""


def is_key_name(key: YamlNode) -> bool:
    """Whether a key is a name. One that is none may be a value that a missing space or colon made a key."""
    return key.is_scalar and _KEY_NAME.fullmatch(key.text) is not None


def hides_keys_below(key: YamlNode, *, hidden: bool) -> bool:
    """Whether the keys of the mapping below a key may be secrets as well; ``hidden``: its values are."""
    return hidden and _HOLDS_NAMES.search(key.text) is None


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
            waiting.append((value, hidden or secret, hides_keys_below(key, hidden=hidden or secret)))
            if hides_keys or not is_key_name(key):
                _conceal(key, concealed)
        waiting.extend((item, hidden, hides_keys) for item in node.elements())
        if hidden:
            _conceal(node, concealed)
        elif node.is_scalar and ":" in node.text:
            concealed.add(mistaken_pair(node))
            for match in _DEFAULT.finditer(node.text):
                concealed.add(match[1])


def _conceal(node: YamlNode, concealed: Concealed) -> None:
    if node.is_scalar and len(node.text) >= _LEAST and not _NO_SECRET.fullmatch(node.text):
        concealed.add(node.text)
