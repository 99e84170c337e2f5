"""Changes of the configuration: checked, written, applied, undone; secrets apart."""

import pytest
from fake_platform.managed import FakeManaged

from eldonia_ops.app.managed_files import ManagedFiles
from eldonia_ops.services.api import PreconditionError, RefusedError
from eldonia_ops.services.api.managed import FaultyConfigurationError, WantedChange
from eldonia_ops.services.backups import kept_files
from eldonia_ops.services.configuration.managed import ManagedChanges

PROBE = {"name": "shop2", "url": "http://shop.example/"}
HOOK = {"name": "hook", "webhook_configs": [{"url": "http://127.0.0.1:1/s3cr3t"}]}


def anything(version: str) -> bool:
    return True


@pytest.fixture
def managed() -> FakeManaged:
    return FakeManaged(lambda: 1_700_000_000_000)


def add(section: str, values) -> list[WantedChange]:
    return [WantedChange(section, "", values)]


async def test_what_is_added_is_in_the_file_and_in_force_and_one_call_undoes_it(managed: FakeManaged) -> None:
    view = await managed.change("hana", add("probes", PROBE), anything)
    assert "shop.example" in managed.store.text
    assert managed.in_force.reloads == 1
    assert [(one.name, one.managed, one.line) for one in view.entries] == [("shop", False, 12), ("shop2", True, 5)]
    made = view.changes[0]
    assert (made.actor, made.at, made.steps[0].before, made.steps[0].after) == ("hana", 1_700_000_000_000, None, PROBE)
    view = await managed.undo("ken", made.id, anything)
    assert managed.store.text == ""
    assert [(one.actor, one.undoes, one.undone_by) for one in view.changes] == [
        ("ken", made.id, ""),
        ("hana", "", view.changes[0].id),
    ]
    with pytest.raises(RefusedError, match="undone already"):
        await managed.undo("ken", made.id, anything)
    view = await managed.undo("ken", view.changes[0].id, anything)
    assert [one.name for one in view.entries] == ["shop", "shop2"]


async def test_a_change_of_what_somebody_else_changed_is_refused(managed: FakeManaged) -> None:
    with pytest.raises(PreconditionError):
        await managed.change("hana", add("probes", PROBE), lambda version: False)
    first = (await managed.change("hana", add("probes", PROBE), anything)).changes[0].id
    await managed.change("ken", [WantedChange("probes", "shop2", {**PROBE, "interval": "1m"})], anything)
    with pytest.raises(RefusedError, match="'shop2' in probes is not what it was"):
        await managed.undo("hana", first, anything)
    with pytest.raises(RefusedError, match="already"):
        await managed.change("hana", add("probes", PROBE), anything)
    with pytest.raises(RefusedError, match=r"/etc/eldonia-ops\.yml, line 12"):
        await managed.change("hana", add("probes", {**PROBE, "name": "shop"}), anything)
    with pytest.raises(RefusedError, match="no entries of the kind"):
        await managed.change("hana", add("listen", {"x": 1}), anything)


async def test_a_server_that_is_reached_by_a_dsn_has_its_name_from_there(managed: FakeManaged) -> None:
    dsn = "postgresql://watcher:s3cret@db.internal:5433/postgres"
    await managed.change("hana", add("postgresql", {"dsn": dsn}), anything)
    assert 'instance: "db.internal:5433"' in managed.store.text
    assert "s3cret" not in managed.store.text
    await managed.change("hana", add("postgresql", {"dsn": dsn.replace("5433", "5434"), "instance": "main"}), anything)
    assert "instance: main" in managed.store.text
    with pytest.raises(FaultyConfigurationError, match="instance is missing"):
        await managed.change("hana", add("postgresql", {"dsn": "host=db user=watcher"}), anything)


async def test_who_is_notified_hears_of_the_end_unless_they_do_not_want_to(managed: FakeManaged) -> None:
    slack = {"name": "ops", "slack_configs": [{"api_url": "https://hooks.slack.com/services/T/B/x"}]}
    await managed.change("hana", add("receivers", slack), anything)
    assert "send_resolved: true" in managed.store.text
    quiet = {"name": "quiet", "slack_configs": [{**slack["slack_configs"][0], "send_resolved": False}]}
    await managed.change("hana", add("receivers", quiet), anything)
    assert "send_resolved: false" in managed.store.text


async def test_what_the_loader_refuses_leaves_everything_as_it_was(managed: FakeManaged) -> None:
    await managed.change("hana", add("probes", PROBE), anything)
    before = managed.store.text
    with pytest.raises(FaultyConfigurationError, match="url is not a URL"):
        await managed.change("hana", add("probes", {"name": "x", "url": "nope"}), anything)
    with pytest.raises(FaultyConfigurationError, match="name is missing"):
        await managed.change("hana", add("receivers", {"webhook_configs": []}), anything)
    assert (managed.store.text, managed.in_force.reloads) == (before, 1)


async def test_when_it_cannot_be_applied_the_old_file_is_put_back_and_applied(managed: FakeManaged) -> None:
    await managed.change("hana", add("probes", PROBE), anything)
    before = managed.store.text
    managed.in_force.fault = "the port is taken"
    with pytest.raises(FaultyConfigurationError, match="the port is taken"):
        await managed.change("hana", add("receivers", HOOK), anything)
    assert managed.store.text == before
    assert managed.in_force.reloads == 3, "the change, and the way back"
    assert managed.store.secrets == {}
    assert len((await managed.view()).changes) == 1


async def test_secrets_are_nowhere_but_in_their_files(managed: FakeManaged) -> None:
    view = await managed.change("hana", add("receivers", HOOK), anything)
    assert list(managed.store.secrets.values()) == ["http://127.0.0.1:1/s3cr3t"]
    assert "s3cr3t" not in managed.store.text + managed.store.history.decode() + repr(view)
    entry = view.entries[-1]
    assert (entry.values, entry.secrets) == (
        {"name": "hook", "webhook_configs": [{"send_resolved": True}]},
        ("webhook_configs.0.url",),
    )
    # Edited without typing it again.
    values = {**entry.values, "matching": {"severity": ["critical"]}}
    view = await managed.change("hana", [WantedChange("receivers", "hook", values)], anything)
    assert view.entries[-1].secrets == ("webhook_configs.0.url",)
    assert view.changes[0].steps[0].secrets == ()
    # Given anew: the old one is kept as long as an undo can bring it back.
    values = {"name": "hook", "webhook_configs": [{"url": "http://127.0.0.1:1/n3w"}]}
    view = await managed.change("hana", [WantedChange("receivers", "hook", values)], anything)
    assert sorted(managed.store.secrets.values()) == ["http://127.0.0.1:1/n3w", "http://127.0.0.1:1/s3cr3t"]
    assert view.changes[0].steps[0].secrets == ("webhook_configs.0.url",)


async def test_all_or_nothing_of_several_changes(managed: FakeManaged) -> None:
    wanted = [*add("probes", PROBE), *add("logs", {"path": "/x.log"}), *add("probes", PROBE)]
    with pytest.raises(RefusedError):
        await managed.change("hana", wanted, anything)
    assert managed.store.text == ""
    view = await managed.change("hana", wanted[:2], anything)
    assert len(view.changes) == 1
    await managed.undo("hana", view.changes[0].id, anything)
    assert managed.store.text == ""


async def test_what_changes_nothing_is_no_change(managed: FakeManaged) -> None:
    await managed.change("hana", add("probes", PROBE), anything)
    view = await managed.change("hana", [WantedChange("probes", "shop2", PROBE)], anything)
    assert (len(view.changes), managed.in_force.reloads) == (1, 1)


async def test_where_changes_by_page_are_off_none_is_made(managed: FakeManaged) -> None:
    managed.in_force.on = False
    with pytest.raises(RefusedError, match="managed: false"):
        await managed.change("hana", add("probes", PROBE), anything)
    assert not (await managed.view()).enabled


async def test_every_change_comes_by_one_place_with_secrets_masked(managed: FakeManaged) -> None:
    seen = []

    async def observe(change) -> None:
        seen.append(change)

    changes = ManagedChanges(managed.changes._clock, managed.store, managed.in_force, managed.changes._kinds, observe)
    view = await changes.change("hana", add("receivers", HOOK), anything)
    await changes.undo("ken", view.changes[0].id, anything)
    assert [(one.actor, one.steps[0].before, one.steps[0].after) for one in seen] == [
        ("hana", None, {"name": "hook", "webhook_configs": [{"send_resolved": True}]}),
        ("ken", {"name": "hook", "webhook_configs": [{"send_resolved": True}]}, None),
    ]


def test_files_are_for_this_user_alone_and_replaced_in_one_step(tmp_path) -> None:
    files = ManagedFiles(tmp_path)
    assert (files.read(), files.read_history()) == ("", b"")
    files.write("probes: []\n")
    files.write_history(b"[]")
    files.write_secret("secrets/0123456789abcdef", "s3cr3t")
    files.write_secret("secrets/fedcba9876543210", "other")
    made = kept_files(tmp_path)
    assert {one.stat().st_mode & 0o777 for one in made} == {0o600}
    assert {str(one.relative_to(tmp_path)) for one in made} == {
        "eldonia-ops.managed.yml",
        "eldonia-ops.managed.history.json",
        "secrets/0123456789abcdef",
        "secrets/fedcba9876543210",
    }
    files.keep_secrets(frozenset({"secrets/fedcba9876543210"}))
    assert [one.name for one in (tmp_path / "secrets").iterdir()] == ["fedcba9876543210"]
    with pytest.raises(ValueError, match="no name"):
        files.write_secret("secrets/../x", "y")
    files.write("")
    assert not (tmp_path / "eldonia-ops.managed.yml").exists()
    assert not [one for one in tmp_path.iterdir() if one.name.endswith(".partial")]
