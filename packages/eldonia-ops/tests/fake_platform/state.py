"""Machines, tokens, accounts and sessions in memory, and access to the platform over them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from eldonia_ops.access import new_token
from eldonia_ops.model.access import Account, AccountLink, Role, Session, Token
from eldonia_ops.model.audit import AuditEntry, AuditQuery
from eldonia_ops.model.change import Change, ChangeKind
from eldonia_ops.model.index_catalog import CatalogEntry, EntryKind
from eldonia_ops.model.saved_search import SavedSearch
from eldonia_ops.services.access.principals import Principals
from eldonia_ops.services.access.tokens import AccessService
from fake_platform.dashboards import FakeDashboards

T = TypeVar("T")


class FakeState:
    """The part of the state store that the web needs, in memory; machines as JSON."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], bytes] = {}
        self.stored_tokens: dict[str, Token] = {}
        self.stored_accounts: dict[str, Account] = {}
        self.stored_links: dict[str, AccountLink] = {}
        self.stored_sessions: dict[str, Session] = {}
        self.stored_searches = {
            "s1": SavedSearch("s1", "Failed payments", "level:error payment", ("user_id",), "a", 5),
            "q1": SavedSearch("q1", "Down", "up == 0", (), "a", 5, "promql"),
        }
        self.dashboards = FakeDashboards()
        self.index_catalog = FakeIndexCatalog({})

        self.stored_audit: list[AuditEntry] = []
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
    def accounts(self) -> "FakeAccounts":
        return FakeAccounts(self.stored_accounts, self.stored_links)

    @property
    def sessions(self) -> "FakeSessions":
        return FakeSessions(self.stored_sessions)

    @property
    def saved_searches(self) -> "FakeSearches":
        return FakeSearches(self.stored_searches)

    @property
    def changes(self) -> "FakeChanges":
        return FakeChanges(self.stored_changes)

    @property
    def audit(self) -> "FakeAudit":
        return FakeAudit(self.stored_audit)

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
class FakeIndexCatalog:
    stored: dict[tuple[EntryKind, str], CatalogEntry]

    def put(self, *entries: CatalogEntry) -> None:
        self.stored |= {(entry.kind, entry.name): entry for entry in entries}

    def get(self, kind: EntryKind, name: str) -> CatalogEntry | None:
        return self.stored.get((kind, name))

    def all(self) -> list[CatalogEntry]:
        return [self.stored[key] for key in sorted(self.stored)]

    def stamp(self) -> tuple[int, int, int]:
        entries = self.stored.values()
        return len(entries), max((one.changed_at for one in entries), default=0), sum(one.version for one in entries)

    def count(self, kind: EntryKind) -> int:
        return sum(1 for one, _ in self.stored if one is kind)

    def delete(self, kind: EntryKind, name: str) -> bool:
        return self.stored.pop((kind, name), None) is not None


@dataclass
class FakeChanges:
    stored: dict[str, Change]

    def get(self, id: str) -> Change | None:
        return self.stored.get(id)

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
class FakeAudit:
    stored: list[AuditEntry]

    def append(self, *entries: AuditEntry) -> None:
        for entry in entries:
            self.stored.append(replace(entry, id=len(self.stored) + 1))

    def find(self, query: AuditQuery) -> list[AuditEntry]:
        found = [
            one
            for one in self.stored
            if one.at >= query.since
            and (not query.until or one.at <= query.until)
            and query.actor in ("", one.actor, one.actor_id)
            and query.kind in ("", one.kind)
            and query.subject in ("", one.subject, one.title)
            and (not query.before_id or one.id < query.before_id)
        ]
        return found[::-1][: query.limit]


@dataclass
class FakeTokens:
    """By digest."""

    stored: dict[str, Token]

    def add(self, token: Token) -> None:
        self.stored[token.digest] = token

    def by_digest(self, digest: str) -> Token | None:
        return self.stored.get(digest)

    def all(self) -> list[Token]:
        return list(self.stored.values())

    def touch(self, id: str, at: int) -> None: ...

    def revoke(self, id: str, at: int) -> bool:
        for digest, token in self.stored.items():
            if token.id == id and not token.revoked_at:
                self.stored[digest] = replace(token, revoked_at=at)
                return True
        return False


@dataclass
class FakeAccounts:
    """By id, and links by account."""

    stored: dict[str, Account]
    stored_links: dict[str, AccountLink]

    def put(self, account: Account) -> None:
        self.stored[account.id] = account

    def get(self, id: str) -> Account | None:
        return self.stored.get(id)

    def by_name(self, name: str) -> Account | None:
        return next((one for one in self.stored.values() if one.name == name), None)

    def by_identity(self, issuer: str, subject: str) -> Account | None:
        wanted = (issuer, subject)
        return next((one for one in self.stored.values() if (one.issuer, one.subject) == wanted), None)

    def all(self) -> list[Account]:
        return sorted(self.stored.values(), key=lambda one: one.name)

    def count(self) -> int:
        return len(self.stored)

    def touch(self, id: str, at: int) -> None:
        self.stored[id] = replace(self.stored[id], signed_in_at=at)

    def delete(self, id: str) -> bool:
        return self.stored.pop(id, None) is not None

    def put_link(self, link: AccountLink) -> None:
        self.stored_links[link.account_id] = link

    def link(self, digest: str) -> AccountLink | None:
        return next((one for one in self.stored_links.values() if one.digest == digest), None)

    def links(self) -> list[AccountLink]:
        return list(self.stored_links.values())

    def drop_link(self, account_id: str) -> bool:
        return self.stored_links.pop(account_id, None) is not None


@dataclass
class FakeSessions:
    """By digest."""

    stored: dict[str, Session]

    def put(self, session: Session) -> None:
        self.stored[session.digest] = session

    def by_digest(self, digest: str) -> Session | None:
        return self.stored.get(digest)

    def all(self) -> list[Session]:
        return sorted(self.stored.values(), key=lambda one: -one.last_seen_at)

    def of_account(self, account_id: str) -> list[Session]:
        return [one for one in self.all() if one.account_id == account_id]

    def touch(self, digest: str, at: int) -> None:
        self.stored[digest] = replace(self.stored[digest], last_seen_at=at)

    def delete(self, digests: Sequence[str]) -> int:
        return sum(self.stored.pop(one, None) is not None for one in digests)

    def purge(self, now: int, idle_ms: int, limit: int) -> int:
        return self.delete([one.digest for one in self.all() if not one.live(now, idle_ms)])


@dataclass
class FakeClock:
    read: Callable[[], int]

    def now(self) -> int:
        return self.read()

    async def sleep_until(self, at: int) -> None:
        raise NotImplementedError


class FakeAccess(AccessService):
    """The real one over this state, which also makes tokens before there is an event loop."""

    def __init__(self, state: FakeState, clock: FakeClock, principals: Principals, rng: random.Random) -> None:
        super().__init__(clock, state, principals)  # type: ignore[arg-type]
        self._fake = state
        self._rng = rng

    def mint(self, name: str, role: Role, lifetime_ms: int = 0, owner: str = "") -> tuple[Token, str]:
        now = self._clock.now()
        end = now + lifetime_ms if lifetime_ms else 0
        made = new_token(name, role, self._rng.randbytes(32), now, expires_at=end, owner=owner)
        self._fake.tokens.add(made.record)
        self._principals.forget()
        return made.record, made.secret.reveal()
