"""SQL for the fields of records in one statement, whose parameters are filled as it is written."""

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS, number_sql, value_sql
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Parameter


class FieldSql:
    """Values of fields by their types: a number is one only if it was sent as one; elements of lists one by one."""

    def __init__(self, parameters: dict[str, Parameter]) -> None:
        self.parameters = parameters
        self._fields = 0

    def value_text(self, name: FieldName | None) -> str:
        """SQL for a value as a text, null where there is none."""
        if name is None:
            return "timestamp"
        present, text = value_sql(name, LOG_COLUMNS, self.parameters, self.prefix())
        return f"if({present}, {text}, NULL)"

    def number(self, name: FieldName) -> str:
        """SQL for a value as a number, null where there is none."""
        return number_sql(name, LOG_COLUMNS, self.parameters, self.prefix())

    def prefix(self) -> str:
        """What no other parameter begins with."""
        self._fields += 1
        return f"b{self._fields}"

    def text(self, text: str) -> str:
        """A text as a parameter."""
        return self.parameter(clean(text), "String")

    def texts(self, texts: list[str]) -> str:
        """A list of texts as a parameter."""
        return self.parameter([clean(text) for text in texts], "Array(String)")

    def parameter(self, value: Parameter, kind: str) -> str:
        """A value as a parameter of a type."""
        name = f"{self.prefix()}x"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"
