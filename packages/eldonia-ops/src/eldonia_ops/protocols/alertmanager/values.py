"""Values of ``alertmanager.yml`` that have rules of their own: secrets, addresses, templates."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from eldonia_ops.alerting.http_config import PLAIN_HTTP, Credential, HttpConfig
from eldonia_ops.model.errors import Level
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.alertmanager.http import HttpReader, is_http
from eldonia_ops.protocols.yaml_document import MappingReader, Place, Problems, YamlNode
from eldonia_ops.template import TemplateSet

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A text of a receiver that is a template; ``what`` names it in messages."""

    receiver: str
    node: YamlNode
    text: str
    what: str

    def place(self, line: int, column: int) -> Place:
        """Where a line and column of the text (from 1) are in the file."""
        node = self.node
        in_first_line = line == 1 and not node.is_block_text
        return Place(
            node.line + (line if node.is_block_text else line - 1),
            node.column + node.is_quoted + column - 1 if in_first_line else 0,
        )


class ConfigValues:
    """Reads values; knows the templates that texts may name and the environment of ``${NAME}``.

    ``receiver`` is the one that is read at present, ``uses`` are the templates found so far, ``http_default`` is
    ``http_config`` of the section ``global``.
    """

    def __init__(
        self,
        problems: Problems,
        templates: TemplateSet,
        environment: Mapping[str, str] | None,
        relative: Callable[[str], str],
    ) -> None:
        self.problems = problems
        self.templates = templates
        self.environment = environment
        self.relative = relative
        self.uses: list[TemplateUse] = []
        self.receiver = ""
        self.http_default = PLAIN_HTTP
        self._filled: set[int] = set()
        self._http = HttpReader(problems, self, relative)

    def expanded(self, node: YamlNode) -> tuple[str, str]:
        """A text with its ``${NAME}`` filled in, and the name of a variable that is not set ('' if none)."""
        self._filled.add(id(node))
        environment = self.environment
        if environment is None:
            return node.text, ""
        unset: list[str] = []

        def value(match: re.Match[str]) -> str:
            found = environment.get(match[1], "")
            if found:
                self.problems.concealed.add(found, match[0])
            else:
                unset.append(match[1])
            return found

        return _VARIABLE.sub(value, node.text), unset[0] if unset else ""

    def note_unfilled(self, document: YamlNode) -> None:
        """Warn of ``${NAME}`` where it stays as written. In templates it may be a group of ``reReplaceAll``."""
        for node in document.walk() if self.environment is not None else ():
            if node.is_scalar and id(node) not in self._filled and "{{" not in node.text:
                match = _VARIABLE.search(node.text)
                if match:
                    message = (
                        f"{match[0]} is not filled in here: only addresses and secrets take it from the environment"
                    )
                    self.problems.add(node, message, level=Level.WARNING)

    def credential(self, reader: MappingReader, key: str, file_key: str = "", *, url: bool = False) -> Credential:
        """A secret under ``key``, or the file under ``file_key`` that holds it."""
        node = reader.get(key)
        file = reader.string(file_key) if file_key else ""
        if node is not None and file:
            self.problems.add(node, f"{reader.what} has both {key} and {file_key}", "keep one of them")
        if file:
            return Credential(file=self.relative(file))
        if node is None:
            return Credential()
        return self.credential_of(node, key, reader.what, url=url)

    def credential_of(self, node: YamlNode, key: str, what: str, *, url: bool = False) -> Credential:
        """The secret that one value is; ``key`` and ``what`` are for messages."""
        if not node.is_scalar:
            self.problems.add(node, f"{key} must be a text, not {node.describe()}")
            return Credential()
        if not node.text:
            return Credential()  # as if it were not there: Alertmanager's zero value
        value, unset = self.expanded(node)
        if unset:
            self.unset(node, unset, what)
            return Credential(missing=f"the environment variable {unset} is not set")
        if url and not is_http(value) and "${" not in value:
            # The value itself may be half a secret: it is not shown.
            self.problems.add(node, f"{key} must be an http:// or https:// address")
        return Credential(Secret(value))

    def unset(self, node: YamlNode, name: str, what: str) -> None:
        """Note a variable that is missing: a warning, since all other receivers work."""
        message = f"the environment variable {name} is not set: {what} cannot deliver until it is"
        self.problems.add(node, message, level=Level.WARNING)

    def address(self, reader: MappingReader, key: str, default: str) -> str:
        """An HTTP address that is not secret."""
        node = reader.get(key)
        if node is None:
            return default
        value, unset = self.expanded(node)
        if unset:
            self.unset(node, unset, reader.what)
            return node.text
        if not is_http(value):
            self.problems.add(node, f"{key} must be an http:// or https:// address, not {node.describe()}")
        return value

    def template(self, reader: MappingReader, key: str, default: str = "") -> str:
        """A text that is a template; its syntax and what it refers to are checked."""
        node = reader.get(key)
        if node is None:
            return default
        text = reader.string(key, default)
        self.check_template(node, text, f"{key} of {reader.what}")
        return text

    def templates_of(self, reader: MappingReader, key: str) -> dict[str, str]:
        """A mapping of names to templates, each checked like :meth:`template`."""
        texts = reader.string_map(key)
        node = reader.get(key)
        for name, value in node.items() if node is not None else ():
            if value.is_scalar:
                self.check_template(value, value.text, f"{key}.{name.text} of {reader.what}")
        return texts

    def check_template(self, node: YamlNode, text: str, what: str) -> None:
        """Note what is wrong with a template at its place in the file."""
        use = TemplateUse(self.receiver, node, text, what)
        self.uses.append(use)
        for message, line, column in self.templates.check(text):
            self.problems.add(use.place(line, column), f"{what}: {message}")

    def http(self, reader: MappingReader, default: HttpConfig) -> HttpConfig:
        """``http_config`` of an integration, or ``default`` when it has none."""
        return self._http.http(reader, default)
