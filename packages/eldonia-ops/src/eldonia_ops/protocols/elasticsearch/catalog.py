"""What is declared beside the documents, as one value: which indices there are, and which one a name writes to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from eldonia_ops.model.index_catalog import CatalogEntry, EntryKind, owner_key
from eldonia_ops.protocols.elasticsearch.alias_options import writers_of
from eldonia_ops.protocols.elasticsearch.errors import illegal_argument
from eldonia_ops.protocols.elasticsearch.index_names import Options, expanded, fits_any
from eldonia_ops.protocols.elasticsearch.lifecycles import (
    deletion_age_ms,
    duration_ms,
    state_deletion_age_ms,
    state_policy_patterns,
)
from eldonia_ops.protocols.elasticsearch.mapping_rules import MappingRules, mapping_rules
from eldonia_ops.protocols.elasticsearch.query.meant import Meant, grouped
from eldonia_ops.protocols.elasticsearch.templates import BUILT_IN, Made, made_by

NO_OPTIONS: Final = Options()
MAX_ENTRIES: Final = 5_000
"""Of each kind."""

_decode: Final = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry with its body decoded; times are Unix milliseconds."""

    name: str
    body: Mapping[str, Any]
    created_at: int = 0
    changed_at: int = 0
    version: int = 1
    text: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All entries by kind and name. ``others`` is the index of records that came by other ways: it is always there."""

    others: str
    entries: Mapping[EntryKind, Mapping[str, Declared]] = field(default_factory=dict)

    @staticmethod
    def of(entries: Iterable[CatalogEntry], others: str, before: "Catalog | None" = None) -> "Catalog":
        """The catalog of stored entries; what did not change since ``before`` is not decoded again."""
        found: dict[EntryKind, dict[str, Declared]] = {}
        for entry in entries:
            declared = before.get(entry.kind, entry.name) if before is not None else None
            same = declared is not None and declared.text == entry.body
            body = declared.body if declared is not None and same else _decode(entry.body)
            declared = Declared(entry.name, body, entry.created_at, entry.changed_at, entry.version, entry.body)
            found.setdefault(entry.kind, {})[entry.name] = declared
        return Catalog(others, found)

    @property
    def size(self) -> int:
        """Characters of all entries."""
        return sum(len(one.text) for some in self.entries.values() for one in some.values())

    def all(self, kind: EntryKind) -> Mapping[str, Declared]:
        """The entries of a kind by name."""
        return self.entries.get(kind, {})

    def get(self, kind: EntryKind, name: str) -> Declared | None:
        """The entry of a kind with a name."""
        return self.entries.get(kind, {}).get(name)

    def owner(self, kind: EntryKind, name: str) -> str:
        """Who made an entry, "" when it was someone who may change all of them, or the platform itself."""
        one = self.get(EntryKind.OWNER, owner_key(kind, name))
        return str(one.body.get("id", "")) if one is not None else ""

    @property
    def indices(self) -> Mapping[str, Declared]:
        """All indices."""
        own = self.all(EntryKind.INDEX)
        return own if self.others in own else {**own, self.others: Declared(self.others, {})}

    def names(self) -> list[str]:
        """Everything that an expression can mean: indices, data streams, aliases."""
        found = {**self.indices, **self.all(EntryKind.DATA_STREAM), **self.all(EntryKind.ALIAS)}
        return sorted(found)

    def indices_of(self, name: str) -> list[str]:
        """The indices of one name: of a data stream or an alias all of them."""
        if (stream := self.get(EntryKind.DATA_STREAM, name)) is not None:
            return [str(one) for one in stream.body.get("indices", ())]
        if (alias := self.get(EntryKind.ALIAS, name)) is not None:
            found: list[str] = []
            for one in alias.body.get("indices", {}):
                found += self.indices_of(one) if one != name else []
            return found
        return [name] if name in self.indices else []

    def concrete(self, expression: str, now_ms: int, options: Options = NO_OPTIONS) -> tuple[str, ...]:
        """The indices that an expression means.

        Raises:
            ElasticsearchError: a name that is not there, or cannot be read.
        """
        found: dict[str, None] = {}
        for name in expanded(expression, self.names(), now_ms, options):
            found.update(dict.fromkeys(self.indices_of(name)))
        return tuple(found)

    def meant(self, expression: str, now_ms: int, options: Options = NO_OPTIONS) -> Meant:
        """The same with the filters of aliases.

        Raises:
            ElasticsearchError: a name that is not there, or cannot be read.
        """
        names = expanded(expression, self.names(), now_ms, options)
        return grouped([pair for name in names for pair in self._reached(name)], self.others)

    def _reached(self, name: str) -> list[tuple[str, Any]]:
        """The indices of a name, each with the filter that the name has for it."""
        alias = self.get(EntryKind.ALIAS, name)
        if alias is None or name in self.all(EntryKind.DATA_STREAM):
            return [(index, None) for index in self.indices_of(name)]
        members: Mapping[str, Any] = alias.body.get("indices", {})
        return [
            (index, (stated or {}).get("filter"))
            for one, stated in members.items()
            if one != name
            for index in self.indices_of(one)
        ]

    def write_index(self, name: str, operation: str) -> str:
        """The index that documents for a name go to; "" when there is nothing of this name yet.

        Raises:
            ElasticsearchError: an alias of several indices without one for writing, or a data stream that is written to
                by something else than ``create``.
        """
        if (stream := self.get(EntryKind.DATA_STREAM, name)) is not None:
            check_stream_operation(operation)
            return str(stream.body["indices"][-1])
        if (alias := self.get(EntryKind.ALIAS, name)) is not None:
            members: Mapping[str, Any] = alias.body.get("indices", {})
            chosen = writers_of(members)
            if not chosen and len(members) == 1:
                chosen = [one for one, stated in members.items() if "is_write_index" not in (stated or {})]
            if not chosen:
                raise illegal_argument(
                    f"no write index is defined for alias [{name}]. The write index may be explicitly disabled using "
                    "is_write_index=false or the alias points to multiple indices without one being designated as a "
                    "write index"
                )
            return chosen[0] if chosen[0] in self.indices else self.write_index(chosen[0], operation)
        return name if name in self.indices else ""

    def made(self, name: str) -> Made:
        """What a new index of a name is made with."""
        templates = {"logs": BUILT_IN, **{key: one.body for key, one in self.all(EntryKind.INDEX_TEMPLATE).items()}}
        components = {key: one.body for key, one in self.all(EntryKind.COMPONENT_TEMPLATE).items()}
        legacy = {key: one.body for key, one in self.all(EntryKind.LEGACY_TEMPLATE).items()}
        return made_by(name, templates, components, legacy)

    def aliases_of(self, index: str) -> dict[str, Any]:
        """The aliases of an index."""
        found: dict[str, Any] = {}
        for name, alias in self.all(EntryKind.ALIAS).items():
            if index in alias.body.get("indices", {}):
                found[name] = dict(alias.body["indices"][index] or {})
        return found

    def rules_of(self, indices: Iterable[str]) -> dict[str, MappingRules]:
        """What the mappings of some indices refuse, of those that refuse anything."""
        declared = ((index, self.get(EntryKind.INDEX, index)) for index in indices)
        found = ((index, mapping_rules(one.text)) for index, one in declared if one is not None and one.text)
        return {index: rules for index, rules in found if rules is not None}

    def stream_of(self, index: str) -> str:
        """The data stream that an index belongs to; "" for none."""
        declared = self.get(EntryKind.INDEX, index)
        return str(declared.body.get("data_stream", "")) if declared is not None else ""

    def policy_of(self, index: str) -> str:
        """The name of the policy that an index is under; "" for none."""
        declared = self.get(EntryKind.INDEX, index)
        settings: Mapping[str, Any] = declared.body.get("settings", {}) if declared is not None else {}
        return str(settings.get(_ILM) or settings.get(_ISM) or self._attached(index))

    def deletion_age_ms(self, policy: str) -> int | None:
        """How old documents get under a policy; None: it deletes none, or there is none of this name."""
        if (lifecycle := self.get(EntryKind.LIFECYCLE, policy)) is not None:
            return deletion_age_ms(lifecycle.body)
        states = self.get(EntryKind.STATE_POLICY, policy)
        return state_deletion_age_ms(states.body) if states is not None else None

    def deleting_policy(self, settings: Mapping[str, Any]) -> str:
        """The name of a policy in flat settings by which documents are deleted; "" for none."""
        names = (str(settings[name]) for name in (_ILM, _ISM) if settings.get(name))
        return next((name for name in names if self.deletion_age_ms(name) is not None), "")

    def kept_ms(self, index: str) -> int | None:
        """How old documents of an index may get; None: as old as everything."""
        ages = [self.deletion_age_ms(self.policy_of(index))]
        stream = self.get(EntryKind.DATA_STREAM, self.stream_of(index))
        if stream is not None and stream.body.get("data_retention"):
            ages.append(duration_ms(stream.body["data_retention"]))
        return min((age for age in ages if age is not None), default=None)

    def _attached(self, index: str) -> str:
        for name, policy in self.all(EntryKind.STATE_POLICY).items():
            if fits_any(self.stream_of(index) or index, state_policy_patterns(policy.body)):
                return name
        return ""


_ILM: Final = "index.lifecycle.name"
_ISM: Final = "index.plugins.index_state_management.policy_id"


def check_stream_operation(operation: str) -> None:
    """Refuse to change documents of a data stream by its name.

    Raises:
        ElasticsearchError: the operation is none that adds a document.
    """
    if operation != "create":
        raise illegal_argument("only write ops with an op_type of create are allowed in data streams")
