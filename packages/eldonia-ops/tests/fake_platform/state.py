"""Machines and tokens in memory, and access to the platform over them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from eldonia_ops.access import matching_token, new_token
from eldonia_ops.model.access import Role, Token
from eldonia_ops.model.change import Change, ChangeKind
from eldonia_ops.model.saved_search import SavedSearch

T = TypeVar("T")


class FakeState:
    """The part of the state store that the web needs: machines and tokens, in memory, as JSON."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], bytes] = {}
        self.stored_tokens: dict[str, Token] = {}
        self.stored_searches = {"s1": SavedSearch("s1", "Failed payments", "level:error payment", ("user_id",), "a", 5)}

        self.stored_changes = {"c1": Change("c1", 5, ChangeKind.DEPLOY, "shop", "shop 2.4.1", "2.4.1", "", "ci")}

    async def write(self, work: Callable[[Any], T]) -> T:
        return work(self)

    async def read(self, work: Callable[[Any], T]) -> T:
        return work(self)

    async def close(self) -> None: ...

    @property
    def machines(self) -> "FakeState":
        return self

    @property
    def tokens(self) -> "FakeTokens":
        return FakeTokens(self.stored_tokens)

    @property
    def saved_searches(self) -> "FakeSearches":
        return FakeSearches(self.stored_searches)

    @property
    def changes(self) -> "FakeChanges":
        return FakeChanges(self.stored_changes)

    def load(self, kind: str, key: str, type_: type[T]) -> T | None:
        found = self.documents.get((kind, key))
        return None if found is None else msgspec.json.decode(found, type=type_)

    def load_all(self, kind: str, type_: type[T]) -> dict[str, T]:
        return {key: msgspec.json.decode(doc, type=type_) for (k, key), doc in self.documents.items() if k == kind}

    def save(self, kind: str, key: str, state: Any, *, deadline: int | None = None) -> None:
        self.documents[kind, key] = msgspec.json.encode(state)

    def delete(self, kind: str, key: str) -> None:
        self.documents.pop((kind, key), None)


@dataclass
class FakeSearches:
    stored: dict[str, SavedSearch]

    def put(self, search: SavedSearch) -> None:
        self.stored[search.id] = search

    def get(self, id: str) -> SavedSearch | None:
        return self.stored.get(id)

    def all(self) -> list[SavedSearch]:
        return sorted(self.stored.values(), key=lambda one: (one.name, one.id))

    def count(self) -> int:
        return len(self.stored)

    def delete(self, id: str) -> bool:
        return self.stored.pop(id, None) is not None


@dataclass
class FakeChanges:
    stored: dict[str, Change]

    def put(self, change: Change) -> None:
        self.stored[change.id] = change

    def find(self, since: int, until: int, service: str, limit: int) -> list[Change]:
        found = [one for one in self.stored.values() if since <= one.at <= until]
        found = [one for one in found if not service or one.service in (service, "")]
        return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit]

    def count(self) -> int:
        return len(self.stored)

    def delete(self, id: str) -> bool:
        return self.stored.pop(id, None) is not None


@dataclass
class FakeTokens:
    stored: dict[str, Token]

    def by_digest(self, digest: str) -> Token | None:
        return self.stored.get(digest)

    def all(self) -> list[Token]:
        return list(self.stored.values())


class FakeAccess:
    def __init__(self, state: FakeState, now: Callable[[], int], rng: random.Random) -> None:
        self._state = state
        self._now = now
        self._rng = rng

    def mint(self, name: str, role: Role, lifetime_ms: int = 0) -> tuple[Token, str]:
        end = self._now() + lifetime_ms if lifetime_ms else 0
        made = new_token(name, role, self._rng.randbytes(32), self._now(), expires_at=end)
        self._state.stored_tokens[made.record.digest] = made.record
        return made.record, made.secret.reveal()

    async def authenticate(self, secret: str) -> Token | None:
        return matching_token(secret, self._state.stored_tokens.values(), self._now())

    async def create(self, name: str, role: Role, lifetime_ms: int = 0) -> tuple[Token, str]:
        return self.mint(name, role, lifetime_ms)

    async def all(self) -> list[Token]:
        return list(self._state.stored_tokens.values())

    async def revoke(self, id: str) -> bool:
        for digest, token in self._state.stored_tokens.items():
            if token.id == id and not token.revoked_at:
                self._state.stored_tokens[digest] = replace(token, revoked_at=self._now())
                return True
        return False
