"""Which columns there are between two stages, so that a name that leads nowhere is found before anything runs."""

import difflib

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.errors import SearchError
from eldonia_ops.search.tree import Comparison, LevelTest, Node, Span, Text, Wildcard, leaves
from eldonia_ops.search.values import TIMESTAMP

RESERVED = ("message", "level", TIMESTAMP)
"""Fields of every record that no stage makes anew: searches look at them in ways of their own."""

_SHOWN = 12


class Columns:
    """The columns at one place of a pipeline: of records all fields, of rows their names alone."""

    def __init__(self) -> None:
        self._names: list[str] | None = None
        self._gone: set[str] = set()
        self.rows = False

    @property
    def names(self) -> list[str] | None:
        """The columns in their order; None where there is every field."""
        return None if self._names is None else list(self._names)

    def check(self, name: FieldName, span: Span) -> None:
        """Nothing, when there is such a column.

        Raises:
            SearchError: there is not.
        """
        if self._names is None and name.name not in self._gone:
            return
        if self._names is not None and name.name in self._names:
            return
        if name.name in self._gone:
            raise SearchError("column_gone", *span, name=name.name)
        names = self._names or []
        near = (difflib.get_close_matches(name.name[:64], names, 1, 0.3) or names or [""])[0]
        raise SearchError("column_unknown", *span, name=name.name, near=near, columns=self._shown())

    def check_search(self, search: Node) -> None:
        """The same for all names in a search.

        Raises:
            SearchError: one is not there.
        """
        for leaf, _ in leaves(search):
            match leaf:
                case Comparison():
                    self.check(leaf.condition.name, leaf.span)
                case Wildcard():
                    self.check(leaf.name, leaf.span)
                case LevelTest():
                    self.check(FieldName(("level",)), leaf.span)
                case Text() if self._names is not None and "message" not in self._names:
                    raise SearchError("words_of_rows", *leaf.span, columns=self._shown())
                case _:
                    pass

    def add(self, name: str, span: Span) -> None:
        """A column is made, in the place of one of its name.

        Raises:
            SearchError: it cannot be.
        """
        if name in RESERVED:
            raise SearchError("column_reserved", *span, name=name)
        self._gone.discard(name)
        if self._names is not None and name not in self._names:
            self._names.append(name)

    def rename(self, old: FieldName, new: str, span: Span) -> None:
        """A column gets another name.

        Raises:
            SearchError: it cannot.
        """
        self.check(old, span)
        if new == old.name:
            return
        if new in RESERVED and not self.rows:
            raise SearchError("column_reserved", *span, name=new)
        if self._names is not None:
            if new in self._names:
                raise SearchError("column_twice", *span, name=new)
            self._names[self._names.index(old.name)] = new
        self._gone.add(old.name)
        self._gone.discard(new)

    def only(self, names: list[tuple[str, Span]], *, rows: bool = False) -> None:
        """These are the columns from here on.

        Raises:
            SearchError: two have one name.
        """
        found: list[str] = []
        for name, span in names:
            if name in found:
                raise SearchError("column_twice", *span, name=name)
            found.append(name)
        if not rows and self._names is not None:
            self._gone.update(set(self._names) - set(found))
        if rows:
            self._gone.clear()
            self.rows = True
        self._names = found

    def _shown(self) -> str:
        names = self._names or []
        return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
