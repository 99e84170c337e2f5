"""A section of the routing file as a kind of integration reads it: an element of its list, or ``global``."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.errors import Level
from eldonia_ops.protocols.alertmanager.values import ConfigValues
from eldonia_ops.protocols.integration_fields import FieldSpec, FieldType, key_of, spec_of
from eldonia_ops.protocols.yaml_document import MappingReader, YamlNode


class SectionReader(MappingReader):
    """Typed access to the keys of one section. What is wrong is noted at its line and column, and reading goes on.

    ``defaults`` is what the kind took from ``global``. ``what`` names the section in messages.
    """

    def __init__(self, node: YamlNode, values: ConfigValues, what: str, defaults: Any = None) -> None:
        super().__init__(node, values.problems, what)
        self.defaults = defaults
        self._config_values = values

    def declared(self, config: type[Any]) -> dict[str, Any]:
        """The values of all fields that a configuration's dataclass declares, by their names."""
        found: dict[str, Any] = {}
        for item in fields(config):
            spec = spec_of(item)
            if spec is not None:
                default = None if item.default is MISSING else item.default
                found[item.name] = self._value(key_of(item), spec, default)
        return found

    def _value(self, key: str, spec: FieldSpec, default: Any) -> Any:
        match spec.type:
            case FieldType.TEXT:
                return self.string(key, default or "", required=spec.required)
            case FieldType.TEXTS:
                return self.text_list(key) or default or ()
            case FieldType.TEMPLATE:
                if spec.required:
                    self.string(key, required=True)
                return self.template(key, default or "")
            case FieldType.TEMPLATES:
                return tuple(sorted({**dict(default or ()), **self.templates(key)}.items()))
            case FieldType.ADDRESS:
                self.get(key, required=spec.required)
                return self.address(key, default or "")
            case FieldType.SECRET | FieldType.SECRET_ADDRESS:
                found = self.credential(key, f"{key}_file", url=spec.type is FieldType.SECRET_ADDRESS)
                if spec.required and not found:
                    self.problems.add(self.node, f"{self.what} needs {key} or {key}_file")
                return found
            case FieldType.BOOLEAN:
                return self.boolean(key, bool(default))
            case FieldType.INTEGER:
                value = self.integer(key, default or 0, minimum=spec.minimum)
                return self._bounded(key, value, spec, str)
            case FieldType.DURATION:
                return self._bounded(key, self.duration(key, default or 0), spec, format_duration)
            case FieldType.HTTP:
                return self.http()

    def _bounded(self, key: str, value: int, spec: FieldSpec, shown: Callable[[int], str]) -> int:
        node = self.get(key)
        if node is not None and spec.minimum is not None and value < spec.minimum:
            self.problems.add(node, f"{key} must be at least {shown(spec.minimum)}, not {node.describe()}")
            return spec.minimum
        if node is not None and spec.maximum is not None and value > spec.maximum:
            self.problems.add(node, f"{key} must be at most {shown(spec.maximum)}, not {node.describe()}")
            return spec.maximum
        return value

    # --- values with rules of their own

    def credential(self, key: str, file_key: str = "", *, url: bool = False) -> Credential:
        """A secret under ``key``, or the file under ``file_key`` that holds it; ``url``: it is an HTTP address."""
        return self._config_values.credential(self, key, file_key, url=url)

    def address(self, key: str, default: str = "") -> str:
        """An HTTP address that is not secret."""
        return self._config_values.address(self, key, default)

    def template(self, key: str, default: str = "") -> str:
        """A text that is a template; its syntax and what it refers to are checked."""
        return self._config_values.template(self, key, default)

    def templates(self, key: str) -> dict[str, str]:
        """A mapping of names to templates."""
        return self._config_values.templates_of(self, key)

    def http(self) -> HttpConfig:
        """``http_config`` of the section, or that of ``global`` when it has none."""
        return self._config_values.http(self, self._config_values.http_default)

    def expanded(self, key: str, default: str = "") -> str | None:
        """A text with ``${NAME}`` filled in. None when a variable is not set: that has been noted."""
        node = self.get(key)
        if node is None:
            return default
        value, unset = self._config_values.expanded(node)
        if unset:
            self._config_values.unset(node, unset, self.what)
            return None
        return value

    def nested(self, node: YamlNode, what: str) -> "SectionReader":
        """A reader for a mapping within the section; call :meth:`done` when it is read."""
        return SectionReader(node, self._config_values, what, self.defaults)

    # --- what is wrong

    def fault(self, key: str, message: str, hint: str = "") -> None:
        """Note an error at the value of ``key``, or at the section when it has none."""
        self.problems.add(self.get(key) or self.node, message, hint)

    def warning(self, key: str, message: str, hint: str = "") -> None:
        """Note at the value of ``key`` what does not keep the file from being used."""
        self.problems.add(self.get(key) or self.node, message, hint, Level.WARNING)
