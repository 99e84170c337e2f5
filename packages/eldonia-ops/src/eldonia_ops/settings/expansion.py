"""``${NAME}`` and ``${NAME:-default}`` in the texts of a configuration file."""

import re
from collections.abc import Mapping

from eldonia_ops.model.errors import Level
from eldonia_ops.protocols.yaml_document import Problems, YamlNode

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)(\}?)")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*(?::-.*)?", re.DOTALL)
_PIPELINE = "pipeline"


def expand(document: YamlNode, env: Mapping[str, str], problems: Problems, missing: Level = Level.ERROR) -> None:
    """Put the environment into every text of a document; ``$${`` becomes a plain ``${``.

    The pipeline has placeholders of its own, such as ``${tag}``: there only names in capital letters are variables.

    As in a shell, ``:-`` gives what to take when the variable is unset or empty. What is wrong is noted
    at the place of the text, and the text then left as written; ``missing`` is how grave an unset
    variable is.
    """

    own = {id(node) for key, value in document.items() if key.text == _PIPELINE for node in value.walk()}

    def transform(node: YamlNode) -> str | None:
        return _expanded(node, env, problems, missing, placeholders=id(node) in own)

    document.expand(transform)


def _expanded(
    node: YamlNode, env: Mapping[str, str], problems: Problems, missing: Level, *, placeholders: bool = False
) -> str | None:
    faults: list[tuple[str, str, Level]] = []

    def one(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        if placeholders and _VARIABLE.fullmatch(match[1]) is None:
            return match[0]
        if not match[2]:
            faults.append(("'${' without a closing brace", "write $${ for a plain ${", Level.ERROR))
            return match[0]
        name = _NAME.fullmatch(match[1])
        if name is None:
            faults.append(
                ("what is in ${} does not name an environment variable", "write $${ for a plain ${", Level.ERROR)
            )
            return match[0]
        value, default = env.get(name[1], ""), name[2]
        if value or default is not None:
            found = value or default or ""
            problems.concealed.add(found, f"${{{name[1]}}}")
            return found
        if name[1] not in env:
            hint = f"set it, or write ${{{name[1]}:-default}}"
            faults.append((f"the environment variable {name[1]} is not set", hint, missing))
        return value

    text = _REFERENCE.sub(one, node.text)
    for message, hint, level in faults:
        problems.add(node, message, hint, level)
    return None if faults else text
