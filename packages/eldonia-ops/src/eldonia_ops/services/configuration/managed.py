"""The configuration that pages and API change.

A change is checked by the loader as a whole before it is written, written in one step, and applied by a reload. When
that fails, the file is as it was and in force again. Each change is kept with what it was before, so one click undoes
it. Secrets lie in files of their own, so neither the file nor the history has one.
"""

import asyncio
import hashlib
import logging
import secrets as random_source
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from eldonia_ops.managed.document import (
    Document,
    Entry,
    EntryConflictError,
    Step,
    after_step,
    after_steps,
    step_to,
    undone,
)
from eldonia_ops.managed.history import Change, NotUndoableError, recorded, undoable
from eldonia_ops.managed.secrets import files_of, with_secrets_apart, without_files
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.foreign import clean_text
from eldonia_ops.notifiers.registry import NotifierKinds
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.managed_file import managed_document, managed_text
from eldonia_ops.services.api import PreconditionError, RefusedError, ReloadView
from eldonia_ops.services.api.managed import (
    ChangeView,
    ConfigurationView,
    EntryView,
    FaultyConfigurationError,
    StepView,
    WantedChange,
)
from eldonia_ops.services.configuration.forms import completed, secret_keys
from eldonia_ops.settings.managed import TUNING, EntryPlace, identity_key, named

log = logging.getLogger("eldonia_ops.configuration")

HISTORY: Final = "eldonia-ops.managed.history.json"
SECRETS: Final = "secrets"
"""The folder of secrets, beside the managed file."""
_SHOWN_CHANGES: Final = 50
_OFF: Final = "changes by page and API are switched off: managed: false in the settings"
_changes: Final = msgspec.json.Decoder(tuple[Change, ...])


class ManagedStore(Protocol):
    """Where the managed file, its history and its secrets are. All of it blocks, and raises OSError."""

    @property
    def file(self) -> str:
        """The path of the managed file, for people."""
        ...

    def read(self) -> str:
        """The text of the file, '' when there is none."""
        ...

    def write(self, text: str) -> None:
        """Put a text in the place of the file, in one step and durably; '' removes it."""
        ...

    def read_history(self) -> bytes:
        """What was written as history, b"" at first."""
        ...

    def write_history(self, data: bytes) -> None:
        """Put a history in the place of the one before."""
        ...

    def write_secret(self, name: str, text: str) -> None:
        """Keep a secret under a new name."""
        ...

    def keep_secrets(self, names: frozenset[str]) -> None:
        """Remove all secrets but these."""
        ...


class InForce(Protocol):
    """The configuration that is in force, and how another comes about."""

    def places(self) -> Sequence[EntryPlace]:
        """Where the entries that can be managed are written."""
        ...

    def written(self) -> str:
        """The file that people write, '' without one."""
        ...

    def enabled(self) -> bool:
        """Whether changes by page and API are allowed."""
        ...

    async def examined(self, managed: str) -> None:
        """Read everything as if the managed file held this text.

        Raises:
            ConfigError: something is wrong with it.
        """
        ...

    async def reload(self, actor: str) -> ReloadView:
        """Read all files, and go on under what they say."""
        ...


def name_of(section: str, entry: Entry) -> str:
    """What an entry is called."""
    key = "name" if section == TUNING else identity_key(section)
    if key is None:
        return ""
    return section if not key else str(entry.get(key) or entry.get("url") or "")


def version_of(text: str) -> str:
    """Another for every other text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class ManagedChanges:
    """Entries, changes and their history. ``observe`` is given every change, masked: who, when, before and after."""

    def __init__(
        self,
        clock: Clock,
        store: ManagedStore,
        in_force: InForce,
        kinds: NotifierKinds,
        observe: Callable[[ChangeView], Awaitable[None]] | None = None,
    ) -> None:
        self._clock = clock
        self._store = store
        self._in_force = in_force
        self._kinds = kinds
        self._observe = observe
        self._lock = asyncio.Lock()

    async def view(self) -> ConfigurationView:
        """Every entry that there is, and the last changes."""
        async with self._lock:
            return await self._view()

    async def change(
        self, actor: str, wanted: Sequence[WantedChange], replacing: Callable[[str], bool]
    ) -> ConfigurationView:
        """Make some changes at once, all or none."""
        async with self._lock:
            text, document = await self._present(replacing)
            steps: list[Step] = []
            kept: dict[str, str] = {}
            after = document
            try:
                for one in wanted:
                    step = self._step(after, one, kept)
                    if step.before != step.after:
                        after = after_step(after, step, name_of)
                        steps.append(step)
            except EntryConflictError as error:
                raise RefusedError(str(error)) from None
            if steps:
                await self._apply(actor, text, after, tuple(steps), kept)
            return await self._view()

    async def undo(self, actor: str, id: str, replacing: Callable[[str], bool]) -> ConfigurationView:
        """Take one change back."""
        async with self._lock:
            text, document = await self._present(replacing)
            try:
                change = undoable(await self._history(), id)
                steps = undone(change.steps)
                after = after_steps(document, steps, name_of)
            except (NotUndoableError, EntryConflictError) as error:
                raise RefusedError(f"this cannot be undone: {error}") from None
            await self._apply(actor, text, after, steps, {}, undoes=id)
            return await self._view()

    async def entry(self, section: str, name: str) -> Entry | None:
        """A managed entry as it is kept, None when there is none."""
        text = await asyncio.to_thread(self._store.read)
        entries = managed_document(text, self._store.file).get(section, ())
        return next((one for one in entries if name_of(section, one) == name), None)

    async def _present(self, replacing: Callable[[str], bool]) -> tuple[str, Document]:
        if not self._in_force.enabled():
            raise RefusedError(_OFF)
        text = await asyncio.to_thread(self._store.read)
        if not replacing(version_of(text)):
            raise PreconditionError("the configuration was changed in between")
        return text, managed_document(text, self._store.file)

    def _step(self, document: Document, wanted: WantedChange, kept: dict[str, str]) -> Step:
        if identity_key(wanted.section) is None:
            raise RefusedError(f"there are no entries of the kind {wanted.section!r}")
        if wanted.values is None:
            return step_to(document, wanted.section, wanted.name, None, name_of)
        entries = document.get(wanted.section, ())
        before = next((one for one in entries if name_of(wanted.section, one) == wanted.name), None)
        given = completed(wanted.section, named(wanted.section, _clean(wanted.values)))
        entry, new = with_secrets_apart(given, before, secret_keys(wanted.section, given, self._kinds), _new_file)
        name = name_of(wanted.section, entry)
        if not name:
            key = identity_key(wanted.section)
            raise FaultyConfigurationError([Diagnostic(f"{key} is missing", self._store.file)])
        elsewhere = next(
            (
                one
                for one in self._in_force.places()
                if (one.section, one.name, one.managed) == (wanted.section, name, False)
            ),
            None,
        )
        if elsewhere is not None:
            where = f"{elsewhere.file}, line {elsewhere.line}"
            raise RefusedError(f"{wanted.section} {name} is in {where}: change it there, or choose another name")
        kept.update(new)
        return step_to(document, wanted.section, wanted.name, entry, name_of)

    async def _apply(
        self,
        actor: str,
        before: str,
        after: Document,
        steps: tuple[Step, ...],
        secrets: Mapping[str, str],
        undoes: str = "",
    ) -> None:
        """Check, write, reload, record. When one of them fails, what was before is in the file and in force."""
        text = managed_text(after, lambda section: identity_key(section) == "") if after else ""
        history = await self._history()
        try:
            for name, secret in secrets.items():
                await asyncio.to_thread(self._store.write_secret, name, secret)
            await self._in_force.examined(text)
            await asyncio.to_thread(self._store.write, text)
            try:
                await self._reloaded(actor)
            except BaseException:
                await asyncio.shield(self._back_to(before, actor))
                raise
        except ConfigError as error:
            await asyncio.to_thread(self._store.keep_secrets, _files(before, self._store.file, history))
            raise FaultyConfigurationError(_errors(error.diagnostics), self._store.file) from None
        except OSError as error:
            message = f"the change cannot be written: {error.strerror or error}"
            raise FaultyConfigurationError([Diagnostic(message, self._store.file)]) from None
        change = Change(random_source.token_hex(6), self._clock.now(), actor, steps, undoes)
        history = recorded(history, change)
        await asyncio.to_thread(self._store.write_history, msgspec.json.encode(history))
        await asyncio.to_thread(self._store.keep_secrets, _files(text, self._store.file, history))
        await self._changed(self._change_view(change))

    async def _changed(self, change: ChangeView) -> None:
        """Every change comes by here, with its actor and with before and after, secrets masked."""
        log.info("%s changed the configuration: %s", change.actor, "; ".join(_in_words(one) for one in change.steps))
        if self._observe is not None:
            await self._observe(change)

    async def _reloaded(self, actor: str) -> None:
        view = await self._in_force.reload(actor)
        if not view.successful:
            raise ConfigError(list(view.diagnostics))

    async def _back_to(self, before: str, actor: str) -> None:
        await asyncio.to_thread(self._store.write, before)
        await self._in_force.reload(actor)

    async def _history(self) -> tuple[Change, ...]:
        data = await asyncio.to_thread(self._store.read_history)
        try:
            return _changes.decode(data) if data else ()
        except msgspec.MsgspecError:
            log.error("the history of the configuration cannot be read; it begins anew")
            return ()

    async def _view(self) -> ConfigurationView:
        text = await asyncio.to_thread(self._store.read)
        document = managed_document(text, self._store.file)
        history = await self._history()
        held = {(section, name_of(section, one)): one for section, entries in document.items() for one in entries}
        entries = tuple(self._entry_view(place, held.get((place.section, place.name))) for place in self._places(held))
        changes = tuple(self._change_view(one) for one in reversed(history[-_SHOWN_CHANGES:]))
        enabled, written = self._in_force.enabled(), self._in_force.written()
        return ConfigurationView(enabled, version_of(text), self._store.file, written, entries, changes)

    def _places(self, held: Mapping[tuple[str, str], Entry]) -> list[EntryPlace]:
        """All entries with their places; one that was not applied yet has no line."""
        places = list(self._in_force.places())
        known = {(one.section, one.name) for one in places if one.managed}
        places = [one for one in places if not one.managed or (one.section, one.name) in held]
        return places + [EntryPlace(*key, self._store.file, 0, managed=True) for key in held if key not in known]

    def _entry_view(self, place: EntryPlace, entry: Entry | None) -> EntryView:
        values, secrets = self._masked(place.section, entry) if place.managed else (None, ())
        return EntryView(
            place.section, place.name, place.managed, place.holds, place.file, place.line, values or {}, secrets
        )

    def _change_view(self, change: Change) -> ChangeView:
        steps = tuple(map(self._step_view, change.steps))
        return ChangeView(change.id, change.at, change.actor, steps, change.undoes, change.undone_by)

    def _step_view(self, step: Step) -> StepView:
        shown = step.after if step.after is not None else step.before or {}
        before, old = self._masked(step.section, step.before)
        after, new = self._masked(step.section, step.after)
        same = files_of(step.before or {}) == files_of(step.after or {})
        changed = () if same else tuple(dict.fromkeys([*old, *new]))
        return StepView(step.section, name_of(step.section, shown), before, after, changed)

    def _masked(self, section: str, entry: Entry | None) -> tuple[Mapping[str, Any] | None, tuple[str, ...]]:
        if entry is None:
            return None, ()
        return without_files(entry, secret_keys(section, entry, self._kinds))


def _new_file() -> str:
    return f"{SECRETS}/{random_source.token_hex(8)}"


def _files(text: str, file: str, history: Sequence[Change]) -> frozenset[str]:
    """The secrets that are in use, or that an undo brings back."""
    found = set(files_of(managed_document(text, file)))
    for change in history:
        for step in change.steps:
            found |= files_of(step.before or {}) | files_of(step.after or {})
    return frozenset(found)


def _errors(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    return [one for one in diagnostics if one.level is Level.ERROR] or list(diagnostics)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean_text(str(name)): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value


def _in_words(step: StepView) -> str:
    what = "added" if step.before is None else "removed" if step.after is None else "changed"
    return f"{what} {step.section} {step.name}"
